import VersionKitModel

/// `peers VERSION PORT`, or `peers VERSION PORT stuck`: a router that fetches a version wants to know others that do, and
/// can be reached by them at the port.
struct PeersRequest: Sendable, Hashable {
    var version: Version
    var port: UInt16
    /// Whether those that it knows are of no use.
    var isStuck: Bool

    private static let keyword = "peers"
    private static let stuck = "stuck"

    init(_ version: Version, port: UInt16, isStuck: Bool) {
        self.version = version
        self.port = port
        self.isStuck = isStuck
    }

    /// A request out of its words; `nil` if it is none.
    init?(_ words: [String]) {
        guard (3...4).contains(words.count), words[0] == Self.keyword, let version = Version(words[1]),
            let port = UInt16(words[2]), port > 0, words.count == 3 || words[3] == Self.stuck
        else { return nil }
        self.init(version, port: port, isStuck: words.count == 4)
    }

    /// The request as a line, without its end.
    var line: String { "\(Self.keyword) \(version) \(port)" + (isStuck ? " \(Self.stuck)" : "") }
}
