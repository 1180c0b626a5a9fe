import Testing
import VersionKitModel

@Suite("Two NATS clusters on the same hosts and ports")
struct NatsClusterTests {
    /// The same cluster name in both versions: only the router keeps them apart.
    private static let server = TwoVersions.Server(
        name: "nats", peerPorts: [6222], port: 4222,
        start: """
            exec /usr/sbin/nats-server --name "$HOST-v$VERSION" --addr 0.0.0.0 --port 4222 --http_port 8222 \\
                --cluster_name fleet --cluster nats://0.0.0.0:6222 --cluster_advertise "$HOST:6222" \\
                --routes \(TwoVersions.hosts.map { "nats://\($0):6222" }.joined(separator: ","))
            """)

    @Test("each is whole, neither sees the other, and a message goes to subscribers of its version alone")
    func apart() async throws {
        let fleet = try await TwoVersions(of: Self.server)
        for version in [1, 2] as [Version] {
            let identities = Set(
                try TwoVersions.hosts.indices.map { try Self.identities("server_id", of: version, on: $0, fleet) }
                    .joined())
            #expect(identities.count == 3)
            for index in TwoVersions.hosts.indices {
                let own = try Self.identities("server_id", of: version, on: index, fleet)
                try await fleet.wait(for: "routes of version \(version) on host \(index)") {
                    try Self.identities("remote_id", of: version, on: index, fleet) == identities.subtracting(own)
                }
            }
        }
        let subscribers = try [1, 2].map { try Self.subscriber(of: $0, on: 2, fleet) }
        for (version, subscriber) in zip([1, 2] as [Version], subscribers) {
            let publisher = try fleet.client(of: version, on: 0, port: 4222)
            // Interest travels through a cluster by itself: until it is there, nobody is sent anything.
            try await fleet.wait(for: "a message of version \(version)") {
                publisher.send("PUB news 1\r\n\(version)\r\nPING\r\n")
                return Self.message(of: subscriber) == "\(version)"
            }
        }
        // What version 2's subscriber got first was version 2's, though version 1 had spoken before.
        for (version, subscriber) in zip(["1", "2"], subscribers) {
            while let more = Self.message(of: subscriber) { #expect(more == version) }
        }
    }

    /// What a server says of itself (`server_id`), or of those it has routes to (`remote_id`).
    private static func identities(
        _ key: String, of version: Version, on index: Int, _ fleet: TwoVersions
    ) throws -> Set<String> {
        let client = try fleet.client(of: version, on: index, port: 8222)
        client.send("GET /routez HTTP/1.0\r\n\r\n")
        let words = client.rest().split(separator: "\"")
        return Set(words.indices.filter { words[$0] == key }.map { String(words[$0 + 2]) })
    }

    private static func subscriber(of version: Version, on index: Int, _ fleet: TwoVersions) throws -> TextClient {
        let client = try fleet.client(of: version, on: index, port: 4222)
        client.send("CONNECT {\"verbose\":false}\r\nSUB news 1\r\nPING\r\n")
        while let line = client.line(), line != "PONG" {}
        return client
    }

    /// The next message's text; `nil` when none comes within a second.
    private static func message(of subscriber: TextClient) -> String? {
        while let line = subscriber.line() {
            if line.hasPrefix("MSG ") { return subscriber.line() }
        }
        return nil
    }
}
