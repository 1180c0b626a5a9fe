import CLinux
import Glibc
import Synchronization
import VersionKitKernel
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// What a node's router does for one session, without headers.
final class DatagramTunnel: Sendable {
    private let port: NFTablesSocket
    private let session: NFTablesSocket
    private let tunnel: NFTablesSocket
    private let wake: Int32

    init(_ here: NFTablesHost, _ peer: IPAddress) throws {
        let family = peer.family
        let version = NFTablesHosts.version(family)
        port = try NFTablesSocket(here.host.namespace, SOCK_DGRAM, family).bind(7000, transparent: true)
        session = try NFTablesSocket(here.host.namespace, SOCK_DGRAM, family)
            .bind(Endpoint(address: peer, port: 7000), transparent: true).connect(version, 7000)
        tunnel = try NFTablesSocket(here.host.namespace, SOCK_DGRAM, family).bind(16_000).connect(peer, 16_000)
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        let (port, session, tunnel, wake) = (port, session, tunnel, wake)
        SystemThread(name: "relay") {
            let ways = [(port, tunnel), (session, tunnel), (tunnel, session)]
            while true {
                var watched = ways.map { pollfd(fd: $0.0.number, events: Int16(POLLIN), revents: 0) }
                watched.append(pollfd(fd: wake, events: Int16(POLLIN), revents: 0))
                guard poll(&watched, nfds_t(watched.count), -1) > 0 else { continue }
                guard watched[3].revents == 0 else { break }
                for (index, (from, to)) in ways.enumerated() where watched[index].revents != 0 {
                    if let text = try? from.receive() { try? to.send(text) }
                }
            }
            close(wake)
        }.start()
    }

    deinit { eventfd_write(wake, 1) }
}

/// A window of numbered datagrams between two versions, each on its registered port: a new one is sent for each that came
/// back, so the flow runs as fast as it can, and one that is lost leaves a gap in what came back.
final class DatagramFlow: Sendable {
    /// Datagrams that are under way.
    static let window = 8
    /// Datagrams between two steps of a test.
    private static let step = 1000

    /// What came back at the sender.
    struct Outcome: Sendable {
        var count = 0
        var missing: Set<Int> = []
        var sources: [UInt16: Int] = [:]
    }

    private let there: Endpoint
    private let first: NFTablesSocket
    private let second: NFTablesSocket
    private let isOver = Atomic(false)

    init(_ from: NFTablesHost, _ to: NFTablesHost) throws {
        there = Endpoint(address: to.address, port: 7000)
        first = try NFTablesSocket(from.environment, SOCK_DGRAM, to.address.family).bind(7000)
        second = try NFTablesSocket(to.environment, SOCK_DGRAM, to.address.family).bind(7000)
    }

    /// Runs until ``stop()``.
    ///
    /// - Returns: what came of it, and a signal whenever some thousand more have come back; its end is that of the flow.
    func start() -> (outcome: Task<Outcome, any Error>, steps: AsyncStream<Void>) {
        let (steps, continuation) = AsyncStream.makeStream(of: Void.self)
        let outcome = Task {
            defer { continuation.finish() }
            return try await tryOnThread("flow") { [self] in try run(continuation) }
        }
        return (outcome, steps)
    }

    /// What is under way still comes back.
    func stop() { isOver.store(true, ordering: .relaxed) }

    private func run(_ steps: AsyncStream<Void>.Continuation) throws -> Outcome {
        // The other end gives back what it gets, to whom it came from.
        SystemThread(name: "echo") { [second] in
            while let (text, source) = try? second.receiveFrom(), text != "end" { try? second.send(text, to: source) }
        }.start()
        var outcome = Outcome()
        while outcome.count < Self.window { try send(&outcome) }
        while !outcome.missing.isEmpty {
            // After ten seconds without an answer it is clear that some were lost.
            guard let (text, source) = try? first.receiveFrom(), source.address == there.address else { break }
            outcome.sources[source.port, default: 0] += 1
            if let number = Int(text) { outcome.missing.remove(number) }
            if outcome.count % Self.step == 0 { steps.yield() }
            if !isOver.load(ordering: .relaxed) { try send(&outcome) }
        }
        try first.send("end", to: there)
        return outcome
    }

    private func send(_ outcome: inout Outcome) throws {
        try first.send("\(outcome.count)", to: there)
        outcome.missing.insert(outcome.count)
        outcome.count += 1
    }
}
