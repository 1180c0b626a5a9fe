import IrisLogCore
import IrisLogNetwork
import IrisLogProtocol1
import IrisLogProtocol2
import NIOCore
import Testing

struct ClusterTests {
    @Test("Every server gives the same answers, in the order of the hierarchy", arguments: Cluster.Version.allCases)
    func sameAnswers(version: Cluster.Version) async throws {
        try await Cluster.with([version, version, version]) { cluster in
            for index in 0..<3 {
                let client = try await cluster.client(version, of: index)
                try await client.ping()
                #expect(try await client.query("/country/region/site/node/current").count == 4)
                #expect(
                    try await client.query("/country/region/site/node/current/text()") == ["0.1", "0.2", "0.3", "0.4"])
                #expect(try await client.query("/country/*/site[@id=\"hamburg\"]/node/@id") == ["n1", "n2"])
                #expect(
                    try await client.query("/country/region/site/node[current > 0.25]/reading/@at") == ["1000", "1000"])
                #expect(try await client.query("/country/region/site[starts-with(@id, 'k')]/node/@id") == ["k1", "k2"])
                #expect(try await client.query("count(//node)") == ["4"])
                #expect(try await client.query("sum(//current) > 0.9") == ["true"])
                #expect(try await client.query("//node[3]") == [])
                #expect(try await client.query("(//node)[3]/@id") == ["k1"])
                #expect(try await client.query("/country/region/site[2]/@id") == ["kiel"])
                let sites = try await client.query("/country/region/site")
                #expect(sites.count == 2)
                #expect(sites.first?.contains(">0.2</current>") == true)
                #expect(try await client.query("/country[@id='mars']/region/@id") == [])
                await client.close()
            }
        }
    }

    @Test("What belongs to a server that is down is missing, the rest is answered", arguments: Cluster.Version.allCases)
    func partialAnswer(version: Cluster.Version) async throws {
        try await Cluster.with([version, version, version], running: [0, 1]) { cluster in
            let client = try await cluster.client(version, of: 0)
            #expect(try await client.query("/country/region/site/node/current/text()") == ["0.1"])
            #expect(try await client.query("count(//node)") == ["1"])
            await #expect(throws: IrisLogError.self) { _ = try await client.query(kiel + "/node/current") }
            // The connection survives the refusal.
            try await client.ping()
            await client.close()
        }
    }

    @Test("Only the owner of a node accepts an update, the others name it", arguments: Cluster.Version.allCases)
    func ownerOnly(version: Cluster.Version) async throws {
        try await Cluster.with([version, version, version]) { cluster in
            let wrong = try await cluster.client(version, of: 0)
            let node = hamburg + "/node[@id='n2']"
            await #expect(throws: IrisLogError(.notOwner, cluster.hosts[2])) {
                try await wrong.update(path: node, sensor: "load", sequence: 2, at: 5000, value: "0.9 & more")
            }
            let right = try await cluster.client(version, of: 2)
            try await right.update(path: node, sensor: "load", sequence: 2, at: 5000, value: "0.9 & more")
            try await right.update(path: node, sensor: "load", sequence: 2, at: 5000, value: "0.9 & more")
            #expect(try await wrong.query(node + "/current[@sensor='load']/text()") == ["0.9 & more"])
            #expect(try await wrong.query("count(\(node)/reading)") == ["2"])
            #expect(try await right.export().contains("0.9 &amp; more"))
            await wrong.close()
            await right.close()
        }
    }

    @Test(
        "A malformed or too expensive query is refused, and the connection goes on", arguments: Cluster.Version.allCases
    )
    func badQueries(version: Cluster.Version) async throws {
        try await Cluster.with([version, version, version]) { cluster in
            let client = try await cluster.client(version, of: 0)
            for query in ["/country[", "unknown()", "//node[$x]", "///"] {
                await #expect(throws: IrisLogError.self, "\(query)") { _ = try await client.query(query) }
            }
            try await client.ping()
            await client.close()
        }
    }

    @Test("Many calls on one client are answered one after the other")
    func concurrentCalls() async throws {
        try await Cluster.with([.two, .two, .two]) { cluster in
            let client = try await cluster.client(.two, of: 1)
            let node = hamburg + "/node[@id='n1']"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sequence in UInt64(10)..<60 {
                    group.addTask {
                        try await client.update(path: node, sensor: "x", sequence: sequence, at: sequence, value: "v")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.query("count(\(node)/reading[@sensor='x'])") == ["50"])
            #expect(try await client.query(node + "/current[@sensor='x']/@sequence") == ["59"])
            await client.close()
        }
    }

    @Test("Version 2 merges an export of version 1 and reports what was new")
    func mergeAcrossVersions() async throws {
        try await Cluster.with([.one, .one, .one]) { old in
            let oldClient = try await old.client(.one, of: 1)
            try await oldClient.update(
                path: hamburg + "/node[@id='n1']", sensor: "load", sequence: 7, at: 7000, value: "0.7")
            let exported = try await oldClient.export()
            await oldClient.close()
            try await Cluster.with([.two, .two, .two]) { new in
                let client = try await IrisLogClient2.connect(host: "127.0.0.1", port: new.servers[1].clients.port)
                #expect(try await client.merge(exported) == 1)
                #expect(try await client.merge(exported) == 0)
                #expect(try await client.query(hamburg + "/node/current/text()") == ["0.7", "0.2"])
                await client.close()
            }
        }
    }

    @Test("Servers of different versions cannot talk to each other", arguments: Cluster.Version.allCases)
    func versionsApart(version: Cluster.Version) async throws {
        let other: Cluster.Version = version == .one ? .two : .one
        try await Cluster.with([version, other, other]) { cluster in
            let client = try await cluster.client(version, of: 0)
            #expect(try await client.query("/country/region/site/node/@id") == [])
            #expect(try await client.query("count(//node)") == ["0"])
            await client.close()
        }
        try await Cluster.with([.one, .two, .two]) { cluster in
            // Version 1 answers the preface with a syntax error, version 2 closes without a word.
            let toOne = try await Exchange<Reply1Decoder>(
                host: "127.0.0.1", port: cluster.servers[0].peers.port, timeout: .seconds(60))
            let reply = try await toOne.send(ByteBuffer(string: "IL2P"))
            #expect(reply == .error(IrisLogError(.syntax, "unknown request")))
            await toOne.close()
            let toTwo = try await Exchange<Reply1Decoder>(
                host: "127.0.0.1", port: cluster.servers[1].peers.port, timeout: .seconds(60))
            await #expect(throws: IrisLogError(.unreachable, "the server closed the connection")) {
                _ = try await toTwo.send(ByteBuffer(string: "ASK 1 /country/@id\n"))
            }
        }
    }
}
