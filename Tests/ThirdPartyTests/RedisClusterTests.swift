import Testing
import VersionKitModel

@Suite("Two Redis Clusters on the same hosts and ports")
struct RedisClusterTests {
    private static let server = TwoVersions.Server(
        name: "redis-cluster", peerPorts: [6379, 16379], port: 6379,
        start: """
            mkdir -p /var/lib/redis && cd /var/lib/redis || exit 1
            exec /usr/bin/redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save "" \\
                --cluster-enabled yes --cluster-announce-ip "$HOST" --cluster-node-timeout 5000
            """)
    /// A third of the slots for each host.
    private static let slots = [(0, 5460), (5461, 10922), (10923, 16383)]

    @Test("each is whole, neither sees the other, and a key has a value in each")
    func apart() async throws {
        let fleet = try await TwoVersions(of: Self.server)
        var identities: [Version: Set<String>] = [:]
        for version in [1, 2] as [Version] {
            let clients = try TwoVersions.hosts.indices.map { try fleet.client(of: version, on: $0, port: 6379) }
            for (client, slots) in zip(clients, Self.slots) {
                #expect(Self.ask(client, "CLUSTER ADDSLOTSRANGE \(slots.0) \(slots.1)") == "+OK")
            }
            for host in TwoVersions.hosts.dropFirst() {
                #expect(Self.ask(clients[0], "CLUSTER MEET \(host) 6379") == "+OK")
            }
            for client in clients {
                try await fleet.wait(for: "the cluster of version \(version)") {
                    let information = Self.ask(client, "CLUSTER INFO") ?? ""
                    return information.contains("cluster_state:ok") && information.contains("cluster_known_nodes:3\r\n")
                }
                identities[version, default: []].insert(Self.ask(client, "CLUSTER MYID") ?? "")
            }
            let answers = clients.map { Self.ask($0, "SET news \(version)") ?? "" }
            #expect(answers.filter { $0 == "+OK" }.count == 1)
            let owner = try #require(answers.firstIndex(of: "+OK"))
            // The others know who has it: the host, by the port that both versions share.
            #expect(answers.filter { $0.hasSuffix(" \(TwoVersions.hosts[owner]):6379") }.count == 2)
        }
        #expect(identities[1]?.count == 3)
        #expect(identities[1]?.isDisjoint(with: identities[2] ?? []) == true)
        for version in [1, 2] as [Version] {
            let answers = try TwoVersions.hosts.indices.map { index in
                Self.ask(try fleet.client(of: version, on: index, port: 6379), "GET news") ?? ""
            }
            #expect(answers.contains("\(version)"))
            for index in TwoVersions.hosts.indices {
                let nodes = Self.ask(try fleet.client(of: version, on: index, port: 6379), "CLUSTER NODES") ?? ""
                let known = Set(nodes.split(separator: "\n").map { String($0.prefix(40)) })
                #expect(known == identities[version])
            }
        }
    }

    /// A reply: a simple one with its first character, a bulk string without.
    private static func ask(_ client: TextClient, _ command: String) -> String? {
        client.send(command + "\r\n")
        guard let line = client.line() else { return nil }
        guard line.hasPrefix("$"), let length = Int(line.dropFirst()), length >= 0 else { return line }
        let text = client.bytes(length)
        _ = client.line()
        return text
    }
}
