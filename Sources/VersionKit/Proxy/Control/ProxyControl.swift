public import VersionKitModel

/// What `versiond` and an application proxy say to each other: short lines of text, one to a datagram of their own
/// socket, with a descriptor beside it where one is handed over.
///
/// - Note: DESIGN 2: the proxy takes over the sockets of its predecessor, so that a client never sees the port closed.
public enum ProxyControl: Sendable, Hashable {
    // To the proxy.

    /// Serve clients on the socket beside this; their requests go to this port of the versions, or to that of the list
    /// of versions.
    case listen(versionPort: UInt16? = nil)
    /// Serve no new clients on the socket beside this, which is one that came with ``listen(versionPort:)``.
    case close
    /// The versions are these from now on; answer with ``applied(generation:)`` when no request is under way any more
    /// that went by an older list.
    case versions(VersionTable)
    /// A newer proxy takes over: accept nobody, hand every connection over between two requests.
    case handOver

    // From the proxy.

    /// The proxy runs and waits for its socket.
    case ready
    /// All requests go by the list of this generation.
    case applied(generation: UInt64)
    /// Every connection was handed over, and this process ends.
    case handedOver
    /// What the proxy has done so far.
    case counters(ProxyCounters)

    // Either way.

    /// The client connection beside this goes to the newer proxy.
    case connection(ClientRemainder)

    /// The longest message, in bytes: a connection's unread bytes and a word.
    public static let bytesMax = 64 << 10
}

/// The versions of an application and where their clients' port is, as one proxy sees it.
public struct VersionTable: Sendable, Hashable, Codable {
    /// Grows with each change.
    public var generation: UInt64
    /// The versions.
    public var versions: VersionList
    /// Where each of them serves its clients.
    public var endpoints: [Version: Endpoint]

    /// A table; `endpoints` has an entry for every version but those with the role ``VersionList/Role/logged``.
    public init(generation: UInt64 = 0, versions: VersionList = [], endpoints: [Version: Endpoint] = [:]) {
        self.generation = generation
        self.versions = versions
        self.endpoints = endpoints
    }
}

extension VersionTable {
    /// The same where keys can be copied. Then no log is needed: a version that is put back gets what it lacks of each key
    /// from one that has it.
    package var withoutLogs: VersionTable {
        var table = self
        for version in versions.logged {
            if versions.role(of: version) == .logged {
                table.versions.remove(version)
                table.endpoints[version] = nil
            } else {
                table.versions.insert(version, role: .filling)
            }
        }
        return table
    }
}

/// What a proxy has done since it began.
public struct ProxyCounters: Sendable, Hashable, Codable {
    /// Requests that were answered.
    public var requests: UInt64 = 0
    /// Of these, those whose answer says that they were not done.
    public var failed: UInt64 = 0
    /// Client connections that are open now.
    public var connections: UInt64 = 0
    /// Client connections that were closed because their bytes made no sense or a limit was passed.
    public var refused: UInt64 = 0
    /// For each version, the answers that only it could give although newer ones ran (R18).
    public var needed: [Version: UInt64] = [:]
    /// What versions miss that writes go to.
    public var writes = WriteNumbers()

    /// All zero.
    public init() {}
}

extension ProxyControl {
    /// The message's bytes.
    public var encoded: [UInt8] {
        switch self {
        case .listen(let port): return Array("listen\(port.map { " \($0)" } ?? "")".utf8)
        case .close: return Array("close".utf8)
        case .handOver: return Array("hand-over".utf8)
        case .ready: return Array("ready".utf8)
        case .handedOver: return Array("handed-over".utf8)
        case .applied(let generation): return Array("applied \(generation)".utf8)
        case .connection(let rest):
            let port = rest.versionPort.map { ":\($0)" } ?? ""
            return Array("connection \(rest.silentReplies)\(port) ".utf8) + rest.bytes
        case .versions(let table):
            let entries = table.versions.map { version in
                let endpoint = table.endpoints[version]?.description ?? "-"
                let role = table.versions.role(of: version)
                let word = role == .full && version == table.versions.leaving ? Self.leaving : role?.rawValue ?? "-"
                return " \(version)=\(endpoint)=\(word)"
            }
            return Array("versions \(table.generation)\(entries.joined())".utf8)
        case .counters(let counters):
            return Array("counters \(counters.fields)".utf8)
        }
    }

    /// The message in these bytes, or `nil` if they are none: then whoever is at the other end is not ours.
    public init?(_ bytes: some Collection<UInt8>) {
        let word = bytes.prefix { $0 != UInt8(ascii: " ") }
        let rest = bytes.dropFirst(word.count + 1)
        let text = { String(decoding: rest, as: UTF8.self) }
        switch String(decoding: word, as: UTF8.self) {
        case "listen":
            guard !rest.isEmpty else {
                self = .listen()
                return
            }
            guard let port = UInt16(text()) else { return nil }
            self = .listen(versionPort: port)
        case "close": self = .close
        case "hand-over": self = .handOver
        case "ready": self = .ready
        case "handed-over": self = .handedOver
        case "connection":
            let number = rest.prefix { $0 != UInt8(ascii: " ") }
            let parts = String(decoding: number, as: UTF8.self).split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let silent = Int(parts[0]), silent >= 0 else { return nil }
            let port = parts.count > 1 ? UInt16(parts[1]) : nil
            guard parts.count == 1 || port != nil else { return nil }
            let bytes = Array(rest.dropFirst(number.count + 1))
            self = .connection(ClientRemainder(bytes: bytes, silentReplies: silent, versionPort: port))
        case "applied":
            guard let generation = UInt64(text()) else { return nil }
            self = .applied(generation: generation)
        case "versions":
            guard let table = VersionTable(fields: text().split(separator: " ")) else { return nil }
            self = .versions(table)
        case "counters":
            guard let counters = ProxyCounters(fields: text().split(separator: " ")) else { return nil }
            self = .counters(counters)
        default: return nil
        }
    }
}

extension ProxyControl {
    /// The role of a version that answers clients and gives its place to an older one.
    fileprivate static let leaving = "leaving"
}

extension VersionTable {
    init?(fields: [Substring]) {
        guard let first = fields.first, let generation = UInt64(first) else { return nil }
        self.init(generation: generation)
        for field in fields.dropFirst() {
            let parts = field.split(separator: "=")
            guard parts.count == 3, let version = Version(String(parts[0])),
                let role = parts[2] == ProxyControl.leaving ? .full : VersionList.Role(rawValue: String(parts[2]))
            else { return nil }
            let endpoint = Endpoint(String(parts[1]))
            // Nobody runs where writes are only logged.
            guard endpoint != nil || (role == .logged && parts[1] == "-") else { return nil }
            versions.insert(version, role: role)
            if parts[2] == ProxyControl.leaving { versions.leaving = version }
            endpoints[version] = endpoint
        }
    }
}
