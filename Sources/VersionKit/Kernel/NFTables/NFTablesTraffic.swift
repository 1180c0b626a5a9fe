import VersionKitModel

/// What the table's counters say, out of the text that `nft list set` prints. Pure.
struct NFTablesTraffic: Sendable, Hashable {
    /// Counters of one environment, peer and registered port.
    struct Count: Sendable, Hashable, Codable {
        var packets: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// By the set's name.
    var sets: [String: [DirectRoute: Count]] = [:]

    /// Reads what was printed; elements that are none of ours are left out.
    init(_ text: String) {
        var name: Substring?
        // An element is `10.77.0.2 . 10.99.0.2 . tcp . 7000 counter packets 5 bytes 300 expires 59m`; elements are
        // separated by commas, and lines are broken between them.
        for line in text.split(separator: "\n") {
            let words = line.split { " \t,{}=".contains($0) }
            if words.first == "set", words.count == 2 {
                name = words[1]
                continue
            }
            guard let name else { continue }
            for element in line.split(whereSeparator: { ",{}=".contains($0) }) {
                guard let (route, count) = Self.element(element.split { " \t".contains($0) }) else { continue }
                sets[String(name), default: [:]][route] = count
            }
        }
    }

    private static func element(_ words: [Substring]) -> (DirectRoute, Count)? {
        guard words.count >= 12, words[1] == ".", words[3] == ".", words[5] == ".", words[7] == "counter",
            words[8] == "packets", words[10] == "bytes", let version = IPAddress(String(words[0])),
            let peer = IPAddress(String(words[2])), let transport = transport(words[4]), let port = UInt16(words[6]),
            let packets = UInt64(words[9]), let bytes = UInt64(words[11])
        else { return nil }
        return (
            DirectRoute(from: version, to: peer, port: TransportPort(port, transport)),
            Count(packets: packets, bytes: bytes)
        )
    }

    private static func transport(_ word: Substring) -> TransportProtocol? {
        TransportProtocol.allCases.first { $0.description == word || "\($0.rawValue)" == word }
    }
}

/// Totals of counters that begin again when the kernel forgot them for want of traffic. Pure.
struct NFTablesTotals: Sendable, Hashable, Codable {
    typealias Counts = [String: [DirectRoute: NFTablesTraffic.Count]]

    private var last: Counts = [:]
    /// Of counters that ended.
    private var ended: Counts = [:]
    /// What counters stood at when another version got the address.
    private var before: Counts = [:]

    /// Takes the counters' newest state.
    mutating func update(_ traffic: NFTablesTraffic) {
        for (set, counts) in last {
            for (route, count) in counts {
                let now = traffic.sets[set]?[route]
                guard now == nil || now.map({ $0.packets < count.packets }) == true else { continue }
                ended[set, default: [:]][route, default: .init()] += count - (before[set]?[route] ?? .init())
                before[set]?[route] = nil
            }
        }
        last = traffic.sets
    }

    /// Forgets what an environment did: its address is another's from now on.
    mutating func forget(_ version: IPAddress) {
        for set in ended.keys { ended[set] = ended[set]?.filter { $0.key.version != version } }
        for (set, counts) in last {
            for (route, count) in counts where route.version == version { before[set, default: [:]][route] = count }
        }
    }

    /// What was carried so far, in the order of routes.
    var traffic: [KernelTraffic] {
        var routes: Set<DirectRoute> = []
        for counts in [last, ended].flatMap(\.values) { routes.formUnion(counts.keys) }
        return routes.sorted { ($0.version, $0.peer, $0.port) < ($1.version, $1.peer, $1.port) }.compactMap { route in
            let (sent, received) = (count("sent", route), count("received", route))
            guard sent.packets + received.packets > 0 else { return nil }
            return KernelTraffic(
                route: route, connections: count("begun", route).packets, packetsOut: sent.packets,
                bytesOut: sent.bytes, packetsIn: received.packets, bytesIn: received.bytes)
        }
    }

    private func count(_ set: String, _ route: DirectRoute) -> NFTablesTraffic.Count {
        var count = (last[set]?[route] ?? .init()) - (before[set]?[route] ?? .init())
        count += ended[set]?[route] ?? .init()
        return count
    }
}

extension NFTablesTraffic.Count {
    static func += (left: inout Self, right: Self) {
        left.packets += right.packets
        left.bytes += right.bytes
    }

    /// Never below zero.
    static func - (left: Self, right: Self) -> Self {
        Self(
            packets: left.packets - min(left.packets, right.packets), bytes: left.bytes - min(left.bytes, right.bytes))
    }
}
