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
        for name in ["database.xml", "database.xml.new", "update.log", "irislog.conf", "hierarchy.xml"] {
            unlink(path + "/" + name)
        }
        rmdir(path)
    }

    func write(_ name: String, _ text: String) throws {
        guard let file = fopen(path + "/" + name, "w") else { throw IrisLogError(.internal, "cannot write \(name)") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw IrisLogError(.internal, "cannot write \(name)") }
    }
}

/// A port of the loopback interface that refuses connections or leaves them without a word, and that nobody else is
/// given meanwhile.
final class DeadPort: Sendable {
    let number: Int
    private let descriptor: Int32

    init(listening: Bool = false) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        number = Int(UInt16(bigEndian: address.sin_port))
        // Bound without listening, it refuses.
        guard result == 0, !listening || listen(descriptor, SOMAXCONN) == 0 else {
            throw IrisLogError(.internal, "no port")
        }
    }

    deinit { close(descriptor) }

    /// Waits until somebody has connected; false if nobody does for 30 s.
    func waitForConnection() -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 30_000) == 1
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

    /// Runs the body with the servers whose numbers are in `running`; the ports of the others refuse, or accept
    /// connections without a word if they are in `silent`.
    static func with(
        _ versions: [Version], running: Set<Int> = [0, 1, 2], silent: Set<Int> = [],
        _ body: (Cluster) async throws -> Void
    ) async throws {
        var servers: [RunningServer] = []
        for _ in 0..<3 { servers.append(try await RunningServer(host: "127.0.0.1", clientPort: 0, peerPort: 0)) }
        var hosts = servers.map { "127.0.0.1:\($0.peers.port)" }
        var deadPorts: [DeadPort] = []
        for index in 0..<3 where !running.contains(index) && !silent.contains(index) {
            await close(servers[index])
            deadPorts.append(try DeadPort())
            hosts[index] = "127.0.0.1:\(deadPorts[deadPorts.count - 1].number)"
        }
        defer { withExtendedLifetime(deadPorts) {} }
        let hierarchy = try Hierarchy(xml: hierarchyXML(a: hosts[0], b: hosts[1], c: hosts[2]))
        let directories = try (0..<3).map { _ in try TemporaryDirectory() }
        let databases = try (0..<3).map {
            try Database(directory: directories[$0].path, hierarchy: hierarchy, me: hosts[$0])
        }
        // Whoever is not silent on purpose may be slow: nothing may be missing because of that.
        let patience = silent.isEmpty ? Duration.seconds(60) : Limits.patience
        let cluster = Cluster(servers: servers, databases: databases, hosts: hosts, directories: directories)
        try await cluster.fill()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in running {
                let (server, database, me) = (servers[index], databases[index], hosts[index])
                let port = server.peers.port
                switch versions[index] {
                case .one:
                    let service = Server1(
                        hierarchy: hierarchy, me: me, database: database, peerPort: port, patience: patience)
                    group.addTask { await server.serve(service) }
                case .two:
                    let service = Server2(
                        hierarchy: hierarchy, me: me, database: database, peerPort: port, patience: patience)
                    group.addTask { await server.serve(service) }
                }
            }
            defer { group.cancelAll() }
            try await body(cluster)
        }
        for index in silent { await close(servers[index]) }
    }

    private static func close(_ server: RunningServer) async {
        await server.clients.close()
        await server.peers.close()
    }

    /// One reading in each node, stored at its owner.
    private func fill() async throws {
        try await databases[1].update(path: try path(hamburg + "/node[@id='n1']"), reading: try reading(1, "0.1"))
        try await databases[2].update(path: try path(hamburg + "/node[@id='n2']"), reading: try reading(1, "0.2"))
        try await databases[2].update(path: try path(kiel + "/node[@id='k1']"), reading: try reading(1, "0.3"))
        try await databases[0].update(path: try path(kiel + "/node[@id='k2']"), reading: try reading(1, "0.4"))
    }
}

extension Cluster {
    func client(_ version: Version, of index: Int) async throws -> any IrisLogClient {
        let port = servers[index].clients.port
        return switch version {
        case .one: try await IrisLogClient1.connect(host: "127.0.0.1", port: port)
        case .two: try await IrisLogClient2.connect(host: "127.0.0.1", port: port)
        }
    }
}
