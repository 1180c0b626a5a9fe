import Glibc
import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter

/// What a loop leaves to another relay, and what it takes over from one.
extension RelayLoop {
    /// Everything that goes on; what is left of the loop may be ended. Connections of pools do not go on: nobody uses them.
    func leaveAll() -> Relay.Handover {
        var handover = Relay.Handover()
        handover.listeners = listeners.keys.map { InheritedDescriptor($0) }
        listeners = [:]
        handover.plainPeers = plainPeers.remaining(at: now)
        var waited: [UInt64: Duration] = [:]
        for room in [waiting.identifying, waiting.connecting, waiting.probing, waiting.greeting] {
            waited.merge(room.waited(at: now), uniquingKeysWith: max)
        }
        for case let connection? in connections where !connection.isPooled {
            handover.connections.append(entry(of: connection, waited: waited[connection.id] ?? .zero))
            connections[connection.slot] = nil
        }
        return handover
    }

    private func entry(of connection: RelayedConnection, waited: Duration) -> Relay.Handover.Entry {
        let ends = [connection.near, connection.far].compactMap(\.self)
        return Relay.Handover.Entry(
            descriptors: ends.map(\.socket) + ends.compactMap(\.pipe).flatMap { [$0.output, $0.input] },
            connection: Relay.Handover.Connection(
                phase: connection.phase, waited: waited, peer: connection.peer, port: connection.port,
                isOutbound: connection.isOutbound, provesPlain: connection.provesPlain,
                application: connection.owner?.application, version: connection.owner?.version,
                near: Relay.Handover.End(connection.near), far: connection.far.map { Relay.Handover.End($0) }))
    }

    /// Takes over these connections. Those who wait go on waiting in the order in which they began.
    func resume(_ entries: [Relay.Handover.Entry]) {
        for entry in entries.sorted(by: { $0.connection?.waited ?? .zero > $1.connection?.waited ?? .zero }) {
            if let saved = entry.connection {
                resume(saved, entry.descriptors.map(\.number))
            } else {
                for descriptor in entry.descriptors { Sockets.reset(descriptor.number) }
                relay.ledger.refuse("handover-broken")
            }
        }
    }

    private func resume(_ saved: Relay.Handover.Connection, _ descriptors: [Int32]) {
        var rest = descriptors[...]
        let connection = insert(
            near: rest.removeFirst(), phase: saved.phase, peer: saved.peer, port: saved.port,
            isOutbound: saved.isOutbound, waited: saved.waited)
        connection.provesPlain = saved.provesPlain
        if let application = saved.application, let version = saved.version {
            connection.owner = (application, version)
            connection.flow = relay.ledger.flow(application, version, saved.peer.address)
        }
        if saved.far != nil { connection.far = RelayEnd(socket: rest.removeFirst()) }
        for (end, saved) in [(connection.near, saved.near), (connection.far, saved.far)] {
            guard let end, let saved else { continue }
            end.resume(saved)
            if saved.pipeBytes > 0 {
                let (output, input) = (rest.removeFirst(), rest.removeFirst())
                end.pipe = pipes.adopt(SplicePipe(output: output, input: input, bytes: saved.pipeBytes))
            }
        }
        switch connection.phase {
        case .identifying: setInterest(connection, far: false, Epoll.input)
        case .connecting, .probing:
            setInterest(connection, far: false, 0)
            setInterest(connection, far: true, connection.phase == .probing ? Epoll.input : Epoll.output)
        case .relaying:
            if connection.near.prefix != nil { waiting.greeting.join(connection.id, at: now - saved.waited) }
            settle(connection, isFine: true, hungUp: nil)
        case .pooling, .pooled: preconditionFailure("connections of pools are not handed over")
        }
    }
}

extension RelayEnd {
    fileprivate func resume(_ saved: Relay.Handover.End) {
        prefix = saved.prefix
        unsent = saved.unsent
        header = saved.header
        isFinished = saved.isFinished
        isShut = saved.isShut
    }
}

extension Relay.Handover.End {
    fileprivate init(_ end: RelayEnd) {
        self.init(
            prefix: end.prefix, unsent: end.unsent, pipeBytes: end.pipe?.bytes ?? 0, header: end.header,
            isFinished: end.isFinished, isShut: end.isShut)
    }
}
