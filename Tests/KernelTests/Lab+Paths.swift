import Synchronization
import Testing
import VersionKitModel
import VersionKitTestbed

@testable import VersionKitKernel

/// Both kinds of IP.
let families = IPAddress.Family.allCases

extension Lab {
    /// Keeps fast paths alive.
    final class Kept: Sendable {
        let paths = Mutex<[NodePath]>([])
    }

    /// Fast paths on both hosts, with a port open for every version, and routes from the versions of `a`.
    func paths(
        _ port: TransportPort, sizes: KernelTableSizes = .standard
    ) throws -> (a: NodePath, b: NodePath) {
        let (a, b) = (try a.path(sizes: sizes), try b.path())
        kept.paths.withLock { $0 += [a, b] }
        try a.open(10_011, for: port)
        try b.open(10_001, for: port)
        for slot in 0..<2 { try a.route(slot, to: b.node, port, 10_001 + UInt16(slot)) }
        return (a, b)
    }

    /// A connection from a version of `a` to the same of `b`.
    func connection(_ slot: Int) throws -> (TestSocket, TestSocket) {
        let server = try b.environments[slot].server(7000)
        let client = try a.environments[slot].socket(.tcp)
        try client.connect(b.endpoint(7000))
        return (client, try server.accept())
    }
}

/// A fast path, and the calls on it from its host's network.
final class NodePath: Sendable {
    let node: Lab.Node
    let path: BPFPath

    init(_ node: Lab.Node, _ path: BPFPath) {
        self.node = node
        self.path = path
    }

    /// The same fast path, told of another kind of IP.
    func over(_ family: IPAddress.Family) -> NodePath { NodePath(node.over(family), path) }

    /// Opens direct ports for a port of both environments: `first` and the next one.
    func open(_ first: UInt16, for port: TransportPort) throws {
        for slot in 0..<2 { try open(first + UInt16(slot), for: port, of: slot) }
    }

    /// Opens a direct port for a port of one of the host's environments.
    @discardableResult
    func open(_ number: UInt16, for port: TransportPort, of slot: Int) throws -> DirectPort {
        let environment = node.environments[slot]
        let direct = DirectPort(number, for: port, of: environment.address)
        try inside(node.host.namespace) { [path] in try path.open(direct, interface: environment.interface) }
        return direct
    }

    /// Learns, or forgets (`nil`), where a peer's port is reached for one of the host's environments.
    func route(_ slot: Int, to peer: Lab.Node, _ port: TransportPort, _ direct: UInt16?) throws {
        let route = DirectRoute(from: node.environments[slot].address, to: peer.address, port: port)
        if let direct { try path.learn(route, to: direct) } else { try path.forget(route) }
    }

    func event(_ event: KernelEvent) throws -> UInt64 { try path.events()[event] ?? 0 }
}

extension TestSocket {
    /// A socket that takes connections or datagrams at a port.
    static func server(
        _ namespace: Int32, _ port: TransportPort, _ family: IPAddress.Family = .v4
    ) throws -> TestSocket {
        let socket = try TestSocket(namespace, port.transport, family)
        if port.transport == .tcp { try socket.listen(port.number) } else { try socket.bind(port.number) }
        return socket
    }

    /// Both ends of a connection hear each other.
    static func exchange(_ one: TestSocket, _ other: TestSocket) throws {
        try one.send("there")
        #expect(try other.receive("there"))
        try other.send("back")
        #expect(try one.receive("back"))
    }
}
