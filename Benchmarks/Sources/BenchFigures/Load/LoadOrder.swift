/// What a load generator is to do: one run of it.
package enum LoadOrder: Sendable, Hashable {
    /// Echoes on these ports for ever. A connection whose first byte is `S` is not echoed but counted, and told so at
    /// its end. With `behindHeader` a router's header at the beginning of a connection is answered with one.
    case serve(tcp: [UInt16], udp: [UInt16], behindHeader: Bool = false)
    /// So many connections, each with one message of so many bytes under way.
    case ping(bytes: Int, connections: Int, seconds: Double)
    /// One connection, as fast as it goes.
    case bulk(seconds: Double)
    /// Connect, one message of 64 bytes there and back, close: so often.
    case connect(count: Int)
    /// So many datagrams of so many bytes under way.
    case datagrams(bytes: Int, window: Int, seconds: Double)
    /// So many numbered datagrams a second: which come back, and how.
    case sequence(bytes: Int, perSecond: Int, seconds: Double)
    /// Opens so many connections to so many addresses in a row, says so, and keeps them until it is killed.
    case hold(connections: Int, addresses: Int)
}

/// The command line of a load generator: who does it, and what.
package struct LoadCommand: Sendable, Hashable {
    package var order: LoadOrder
    /// The only CPU that it runs on; `nil`: any.
    package var cpu: Int?
    /// The server, `10.0.0.1:7000`; empty for a server.
    package var server: String

    package init(_ order: LoadOrder, server: String = "", cpu: Int? = nil) {
        self.order = order
        self.server = server
        self.cpu = cpu
    }

    /// The words of the command line.
    package var arguments: [String] {
        var words = cpu.map { ["cpu=\($0)"] } ?? []
        if !server.isEmpty { words.append("server=\(server)") }
        switch order {
        case .serve(let tcp, let udp, let behindHeader):
            words += ["tcp=\(Self.list(tcp))", "udp=\(Self.list(udp))", "header=\(behindHeader ? 1 : 0)"]
        case .ping(let bytes, let connections, let seconds):
            words += ["bytes=\(bytes)", "connections=\(connections)", "seconds=\(seconds)"]
        case .bulk(let seconds): words += ["seconds=\(seconds)"]
        case .connect(let count): words += ["count=\(count)"]
        case .datagrams(let bytes, let window, let seconds):
            words += ["bytes=\(bytes)", "window=\(window)", "seconds=\(seconds)"]
        case .sequence(let bytes, let perSecond, let seconds):
            words += ["bytes=\(bytes)", "rate=\(perSecond)", "seconds=\(seconds)"]
        case .hold(let connections, let addresses):
            words += ["connections=\(connections)", "addresses=\(addresses)"]
        }
        return [order.name] + words
    }

    /// Reads the words of a command line; `nil` if they are none, or a number is missing, wrong or out of bounds.
    package init?(arguments: some Collection<String>) {
        guard let name = arguments.first else { return nil }
        var values: [String: String] = [:]
        for word in arguments.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, values.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
                return nil
            }
        }
        var reader = LoadWords(values)
        let order: LoadOrder? =
            switch name {
            case "serve":
                reader.ports("tcp").flatMap { tcp in
                    reader.ports("udp").flatMap { udp in
                        reader.count("header", 0...1).map { .serve(tcp: tcp, udp: udp, behindHeader: $0 == 1) }
                    }
                }
            case "ping": reader.ping()
            case "bulk": reader.seconds().map { .bulk(seconds: $0) }
            case "connect": reader.count("count", 1...1_000_000).map { .connect(count: $0) }
            case "datagrams": reader.datagrams()
            case "sequence": reader.sequence()
            case "hold": reader.hold()
            default: nil
            }
        guard let order else { return nil }
        self.order = order
        server = reader.take("server") ?? ""
        let cpu = reader.take("cpu")
        self.cpu = cpu.flatMap { Int($0) }
        guard reader.isEmpty, (cpu == nil) == (self.cpu == nil), server.isEmpty == order.isServer else { return nil }
    }

    private static func list(_ ports: [UInt16]) -> String { ports.map(String.init).joined(separator: ",") }
}

extension LoadOrder {
    package var name: String {
        switch self {
        case .serve: "serve"
        case .ping: "ping"
        case .bulk: "bulk"
        case .connect: "connect"
        case .datagrams: "datagrams"
        case .sequence: "sequence"
        case .hold: "hold"
        }
    }

    var isServer: Bool { if case .serve = self { true } else { false } }
}
