import VersionKitProxy

/// Hot restart: the proxies' processes and the clients' sockets stay, the versiond beside them is another.
extension ProxySupervisor {
    /// What the versiond that this one executes needs.
    struct Handover: Sendable, Codable {
        /// The proxy that serves; `nil` if it ended, and is to be started again.
        var instance: ProxyInstance.Handover?
        var program: Program?
        var counters: ProxyCounters
        var past: ProxyCounters
        var table: VersionTable
        var ports: [ClientPorts.Handover]
    }

    /// Gives everything to the versiond that this one executes; this object is dead then.
    ///
    /// Waits until a change that is under way is over, as long as a step of it may take.
    func handOver() async -> Handover {
        try? await wait("the proxy did not finish what was under way") { $0.isSettled }
        isStopped = true
        leaving?.instance.kill()
        var handover = Handover(
            program: current?.program, counters: ProxyCounters(), past: past, table: table, ports: ports.handOver())
        guard let current, !current.isGone else { return handover }
        if isSettled {
            handover.instance = current.instance.handOver()
            handover.counters = current.counters
        } else {
            current.instance.kill()
            handover.past.add(current.counters.past)
        }
        return handover
    }

    /// Goes on where the versiond before was.
    func resume(_ handover: Handover) {
        ports.resume(handover.ports)
        (table, past) = (handover.table, handover.past)
        guard let program = handover.program else { return }
        guard let state = handover.instance else {
            Task { await self.startAgain(program) }
            return
        }
        let instance = ProxyInstance(resuming: state)
        current = Running(
            instance: instance, program: program, counters: handover.counters, isReady: true,
            appliedGeneration: table.generation)
        follow(instance)
    }

    /// Whether nothing is under way: no proxy starts, hands over, or applies a list.
    private var isSettled: Bool {
        guard leaving == nil, let current else { return leaving == nil }
        return current.isReady && current.appliedGeneration >= table.generation && !current.isGone
    }
}
