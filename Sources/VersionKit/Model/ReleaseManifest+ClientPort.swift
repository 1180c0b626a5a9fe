extension ReleaseManifest {
    /// One way by which clients reach the application: the node opens it, the application proxy serves it.
    ///
    /// In JSON a bare number is TCP, as it always was; the others are objects:
    ///
    ///     [11211, { "udp": 11211 }, { "unix": "memcached.sock", "port": 11211 }]
    ///
    /// Inside its environment every version is reached by TCP or UDP at the same number.
    public enum ClientPort: Sendable, Hashable {
        /// A TCP port of the node, and of the version.
        case tcp(UInt16)
        /// A UDP port of the node, and of the version: each datagram is one request.
        case udp(UInt16)
        /// A Unix socket (stream) with this name in the directory that the node has for the application; the version
        /// serves its clients on this TCP port.
        case unix(name: String, port: UInt16)

        /// The port of the version, inside its environment.
        public var versionPort: UInt16 {
            switch self {
            case .tcp(let port), .udp(let port), .unix(_, let port): port
            }
        }

        /// Whether the version is reached by datagrams.
        public var isDatagram: Bool {
            if case .udp = self { true } else { false }
        }
    }
}

extension ReleaseManifest.ClientPort: ExpressibleByIntegerLiteral {
    /// The TCP port with this number.
    public init(integerLiteral number: UInt16) { self = .tcp(number) }
}

extension ReleaseManifest.ClientPort: CustomStringConvertible {
    /// The port in words: `TCP port 6001`.
    public var description: String {
        switch self {
        case .tcp(let port): "TCP port \(port)"
        case .udp(let port): "UDP port \(port)"
        case .unix(let name, _): "Unix socket \"\(name)\""
        }
    }
}

extension ReleaseManifest.ClientPort: Codable {
    private enum CodingKeys: String, CodingKey {
        case tcp, udp, unix, port
    }

    /// Reads a number, or an object with one of the keys `tcp`, `udp` and `unix`.
    public init(from decoder: any Decoder) throws {
        if let number = try? decoder.singleValueContainer().decode(UInt16.self) {
            self = .tcp(number)
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let transports = [CodingKeys.tcp, .udp, .unix].filter(container.contains)
        switch transports {
        case [.tcp]: self = .tcp(try container.decode(UInt16.self, forKey: .tcp))
        case [.udp]: self = .udp(try container.decode(UInt16.self, forKey: .udp))
        case [.unix]:
            self = .unix(
                name: try container.decode(String.self, forKey: .unix),
                port: try container.decode(UInt16.self, forKey: .port))
        default:
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a client port is a number or an object with one of the keys tcp, udp, unix"))
        }
    }

    /// TCP stays a bare number, which nodes of every age read.
    public func encode(to encoder: any Encoder) throws {
        if case .tcp(let port) = self {
            var container = encoder.singleValueContainer()
            return try container.encode(port)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .tcp: break
        case .udp(let port): try container.encode(port, forKey: .udp)
        case .unix(let name, let port):
            try container.encode(name, forKey: .unix)
            try container.encode(port, forKey: .port)
        }
    }
}

extension ReleaseManifest.Ports {
    /// The port of the version at which everything reaches it that does not come by a certain port of clients, the
    /// migrator for one: the first one that is TCP, or else the first one. `nil` without ports for clients.
    public var main: UInt16? { (client.first { !$0.isDatagram } ?? client.first)?.versionPort }
}
