import Glibc
import IrisLogCore
import IrisLogNetwork
import IrisLogProtocol1
import IrisLogProtocol2

/// A directory that is gone after the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/irislog-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw IrisLogError(.internal, "no temporary directory") }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit {
        for name in ["database.xml", "database.xml.new", "update.log"] { unlink(path + "/" + name) }
        rmdir(path)
    }
}

/// The hierarchy of all tests: hamburg and its n1 belong to `b`, kiel and two of the nodes to `c`.
func hierarchyXML(a: String, b: String, c: String) -> String {
    """
    <country id="earth" host="\(a)"><region id="north" host="\(a)">
      <site id="hamburg" host="\(b)"><node id="n1" host="\(b)"/><node id="n2" host="\(c)"/></site>
      <site id="kiel" host="\(c)"><node id="k1" host="\(c)"/><node id="k2" host="\(a)"/></site>
    </region></country>
    """
}

let hamburg = "/country[@id='earth']/region[@id='north']/site[@id='hamburg']"
let kiel = "/country[@id='earth']/region[@id='north']/site[@id='kiel']"

func path(_ xpath: String) throws -> IDPath {
    guard let path = IDPath(xpath: xpath) else { throw IrisLogError(.syntax, xpath) }
    return path
}

func reading(_ sequence: UInt64, at: UInt64? = nil, _ value: String, sensor: String = "load") throws -> Reading {
    try Reading(sensor: sensor, sequence: sequence, at: at ?? sequence * 1000, value: value)
}

/// Three servers of one version on loopback, called a, b and c.
struct Cluster {
    enum Version: CaseIterable { case one, two }

    let servers: [RunningServer]
    let databases: [Database]
    let hosts: [String]
    private let directories: [TemporaryDirectory]

    /// Runs the body with the servers whose numbers are in `running`; the ports of the others are closed.
    static func with(
        _ versions: [Version], running: Set<Int> = [0, 1, 2], _ body: (Cluster) async throws -> Void
    ) async throws {
        var servers: [RunningServer] = []
        for _ in 0..<3 { servers.append(try await RunningServer(host: "127.0.0.1", clientPort: 0, peerPort: 0)) }
        let hosts = servers.map { "127.0.0.1:\($0.peers.port)" }
        let hierarchy = try Hierarchy(xml: hierarchyXML(a: hosts[0], b: hosts[1], c: hosts[2]))
        let directories = try (0..<3).map { _ in try TemporaryDirectory() }
        let databases = try (0..<3).map {
            try Database(directory: directories[$0].path, hierarchy: hierarchy, me: hosts[$0])
        }
        let cluster = Cluster(servers: servers, databases: databases, hosts: hosts, directories: directories)
        try await cluster.fill()
        for index in 0..<3 where !running.contains(index) {
            await servers[index].clients.close()
            await servers[index].peers.close()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in running {
                let (server, database, me) = (servers[index], databases[index], hosts[index])
                let port = server.peers.port
                switch versions[index] {
                case .one:
                    let service = Server1(hierarchy: hierarchy, me: me, database: database, peerPort: port)
                    group.addTask { await server.serve(service) }
                case .two:
                    let service = Server2(hierarchy: hierarchy, me: me, database: database, peerPort: port)
                    group.addTask { await server.serve(service) }
                }
            }
            defer { group.cancelAll() }
            try await body(cluster)
        }
    }

    /// One reading in each node, stored at its owner.
    private func fill() async throws {
        try await databases[1].update(path: try path(hamburg + "/node[@id='n1']"), reading: try reading(1, "0.1"))
        try await databases[2].update(path: try path(hamburg + "/node[@id='n2']"), reading: try reading(1, "0.2"))
        try await databases[2].update(path: try path(kiel + "/node[@id='k1']"), reading: try reading(1, "0.3"))
        try await databases[0].update(path: try path(kiel + "/node[@id='k2']"), reading: try reading(1, "0.4"))
    }
}

/// What the tests need of a client of either version.
protocol AnyIrisLogClient: Sendable {
    func query(_ xpath: String) async throws -> [String]
    func update(path: String, sensor: String, sequence: UInt64, at: UInt64, value: String) async throws
    func export() async throws -> String
    func ping() async throws
    func close() async
}

extension IrisLogClient1: AnyIrisLogClient {}
extension IrisLogClient2: AnyIrisLogClient {}

extension Cluster {
    func client(_ version: Version, of index: Int) async throws -> any AnyIrisLogClient {
        let port = servers[index].clients.port
        return switch version {
        case .one: try await IrisLogClient1.connect(host: "127.0.0.1", port: port)
        case .two: try await IrisLogClient2.connect(host: "127.0.0.1", port: port)
        }
    }
}
