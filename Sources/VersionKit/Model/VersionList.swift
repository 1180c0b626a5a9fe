/// The versions of one application that run on this node, in ascending order: the papers' `vers_list`.
///
/// A value: the data plane reads one immutable snapshot per decision, and a change makes a new list. Iterating goes
/// from the oldest to the newest, `reversed()` the other way round; ``min`` and ``max`` are the ends.
///
/// - Note: S 3.4, R12.
public struct VersionList: Sendable, Hashable, Codable {
    /// What a version takes part in while it is listed.
    public enum Role: String, Sendable, Hashable, Codable {
        /// Reads and writes: the version answers clients.
        case full
        /// Writes only, and its answers to them do not count yet: a new version whose state is still being copied.
        case filling
        /// Writes only: an old version that is about to retire is kept complete, so that it can still be rolled
        /// back to, but nobody needs its answers any more.
        case writesOnly = "writes-only"
        /// It does not run: writes that it would have done are logged for it, so that it can be gone back to (R19).
        case logged
        /// It was put back as it was when its log began, and is sent what is in the log; nothing else.
        case replaying
        /// As ``replaying``, and no further write begins until it has all: then it takes over.
        case settling

        /// Whether what clients write goes to a log in its place.
        public var isLogged: Bool {
            switch self {
            case .logged, .replaying, .settling: true
            case .full, .filling, .writesOnly: false
            }
        }
    }

    private var entries: [Entry]

    /// The version that gives its place to an older one, because it was found bad; `nil` as long as all goes forwards. Of two
    /// equally good answers its own is not chosen, and whether it was needed is counted.
    public var leaving: Version?

    private struct Entry: Sendable, Hashable, Codable {
        var version: Version
        var role: Role
    }

    /// The list of these versions, all of them with the ``Role/full`` role; order and repetition do not matter.
    public init(_ versions: some Sequence<Version> = []) {
        entries = Set(versions).sorted().map { Entry(version: $0, role: .full) }
    }

    /// The oldest version, or `nil` when none runs.
    public var min: Version? { entries.first?.version }

    /// The newest version, or `nil` when none runs.
    public var max: Version? { entries.last?.version }

    /// The versions that answer reads: those with the ``Role/full`` role.
    public var reading: VersionList {
        var list = self
        list.entries.removeAll { $0.role != .full }
        return list
    }

    /// The newest version that answers reads, or `nil` when none does.
    public var newestReading: Version? { entries.last { $0.role == .full }?.version }

    /// The versions that have all of the state: every one but those that are ``Role/filling`` or logged for.
    public var complete: VersionList {
        var list = self
        list.entries.removeAll { $0.role == .filling || $0.role.isLogged }
        return list
    }

    /// The versions that are asked: every one but those that are logged for.
    public var present: VersionList {
        guard entries.contains(where: \.role.isLogged) else { return self }
        var list = self
        list.entries.removeAll { $0.role.isLogged }
        return list
    }

    /// The versions that are logged for.
    public var logged: [Version] { entries.filter(\.role.isLogged).map(\.version) }

    /// A version's place when two are equally good: the one that stays is greater.
    public func rank(of version: Version) -> (Int, Version) { (version == leaving ? 0 : 1, version) }

    /// The role of a version, or `nil` if it is not listed.
    public func role(of version: Version) -> Role? {
        entries.first { $0.version == version }?.role
    }

    /// Adds a version, or gives a listed one another role.
    public mutating func insert(_ version: Version, role: Role = .full) {
        if let index = entries.firstIndex(where: { $0.version >= version }) {
            if entries[index].version == version {
                entries[index].role = role
            } else {
                entries.insert(Entry(version: version, role: role), at: index)
            }
        } else {
            entries.append(Entry(version: version, role: role))
        }
    }

    /// Takes a version off the list; one that is not listed changes nothing.
    public mutating func remove(_ version: Version) {
        entries.removeAll { $0.version == version }
    }

    /// Whether the version is listed, whatever its role.
    public func contains(_ version: Version) -> Bool { role(of: version) != nil }
}

extension VersionList: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { entries.count }
    public subscript(position: Int) -> Version { entries[position].version }
}

extension VersionList: ExpressibleByArrayLiteral, CustomStringConvertible {
    public init(arrayLiteral versions: Version...) { self.init(versions) }

    public var description: String {
        "["
            + entries.map { "\($0.version)" + ($0.role == .full ? "" : "(\($0.role.rawValue.prefix(1)))") }.joined(
                separator: ", ") + "]"
    }
}
