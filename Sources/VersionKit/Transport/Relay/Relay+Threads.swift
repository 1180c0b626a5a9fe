import CLinux
import Glibc
import Synchronization
import VersionKitModel
package import VersionKitProcesses
import VersionKitSockets

/// How a relay's threads begin and end.
extension Relay {
    /// Starts the relay's threads, in the network namespace of the caller's. A relay that resumes another one goes on with
    /// its connections as soon as it has a table.
    ///
    /// - Throws: ``SystemError`` if the transparent port cannot be listened on; then what was taken over is still there.
    package func start() throws(SystemError) {
        let handover = shared.withLock { $0.handover }
        var seeds: [RelayLoopSeed] = []
        var opened: [Int32] = []
        do throws(SystemError) {
            for wake in wakes { try seeds.append(RelayLoopSeed(number: seeds.count, wake: wake)) }
            Self.share(handover, among: &seeds)
            for number in seeds.indices {
                for endpoint in configuration.transparentEndpoints.subtracting(seeds[number].listeners.values) {
                    let listener = try Sockets.listen(on: endpoint, transparent: true)
                    opened.append(listener)
                    seeds[number].listeners[listener] = endpoint
                }
            }
        } catch {
            for descriptor in seeds.map(\.epoll) + opened { close(descriptor) }
            throw error
        }
        shared.withLock {
            $0.handover = Handover()
            $0.running = seeds.count
        }
        for seed in seeds {
            SystemThread(name: "relay") { [self] in RelayLoop(self, seed).run() }.start()
        }
    }

    /// Deals out what another relay left, which may have had more threads or fewer.
    private static func share(_ handover: Handover, among seeds: inout [RelayLoopSeed]) {
        var turns: [Endpoint: Int] = [:]
        for listener in handover.listeners {
            guard let endpoint = localEndpoint(of: listener.number) else { continue }
            seeds[turns[endpoint, default: 0] % seeds.count].listeners[listener.number] = endpoint
            turns[endpoint, default: 0] += 1
        }
        for (index, entry) in handover.connections.enumerated() {
            seeds[index % seeds.count].connections.append(entry)
        }
        for number in seeds.indices {
            seeds[number].plainPeers = handover.plainPeers
            seeds[number].resumes = !(handover.listeners.isEmpty && handover.connections.isEmpty)
        }
    }

    /// Ends the threads, within the time of one turn of each, and says what another relay needs to go on: every connection,
    /// however far it is, and every one that waits to be accepted. Only pools of unused connections are closed.
    ///
    /// Nothing of it is closed here: the descriptors are the caller's. To be called once; afterwards this relay is of no use.
    package func handOver() async -> Handover {
        await withCheckedContinuation { continuation in
            let isRunning = shared.withLock { shared in
                shared.ending = .handedOver
                if shared.running > 0 { shared.isHandedOver = continuation }
                return shared.running > 0
            }
            if isRunning { wakeAll() } else { continuation.resume() }
        }
        var handover = shared.withLock { $0.handover }
        handover.ledger = ledger.saved
        return handover
    }

    /// A thread has ended.
    ///
    /// - Parameter handover: what it had, if that goes on.
    func ended(leaving handover: Handover?) {
        let waiter = shared.withLock { shared in
            if let handover { shared.handover.add(handover) }
            shared.running -= 1
            return shared.running == 0 ? shared.isHandedOver.take() : nil
        }
        waiter?.resume()
    }
}

/// What a loop begins with.
struct RelayLoopSeed: Sendable {
    let number: Int
    /// What wakes it.
    let wake: Int32
    let epoll: Int32
    /// Its own listening sockets, and where they listen.
    var listeners: [Int32: Endpoint] = [:]
    /// Whether another relay left it something, which is the rest of this.
    var resumes = false
    var connections: [Relay.Handover.Entry] = []
    var plainPeers: [Endpoint: Duration] = [:]

    init(number: Int, wake: Int32) throws(SystemError) {
        self.number = number
        self.wake = wake
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError("epoll_create1") }
    }
}
