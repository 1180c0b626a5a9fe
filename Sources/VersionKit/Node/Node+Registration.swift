import Logging
import VersionKitControl
import VersionKitModel
import VersionKitReleases
import VersionKitRouter

/// What environments ask about ports (R7); ``PortRegistry`` decides. `docs/registration.md` has the conversation.
extension Node {
    /// An environment may register ports and ask for them, and nothing else.
    func answerFromInside(
        _ request: ControlRequest, _ id: ApplicationID, _ version: Version
    ) async -> ControlResponse {
        await waitIfSuspended()
        let holder = PortRegistry.Holder(id, version)
        do {
            switch request {
            case .register(let ports, let name, let lease):
                let listed = applications[id]?.running[version]?.manifest.ports.peer ?? []
                try registry.register(ports, as: name, for: holder, listed: listed, lease: lease, at: elapsed)
                try await portsChanged()
                return .done("\(ports.count) ports of \(id) registered")
            case .renew(let ports, let lease):
                try registry.renew(ports, by: holder, lease: lease, at: elapsed)
                registryChanged()
                return .done("\(ports.count) ports of \(id) renewed")
            case .unregister(let ports):
                try registry.unregister(ports, by: holder, at: elapsed)
                try await portsChanged()
                return .done("\(ports.count) ports of \(id) given back")
            case .ports(let application, let name, let transport):
                return .ports(ports(of: application, named: name, over: transport))
            case .status, .metrics, .history, .publish, .publishRoot, .publishChannel, .rollback, .retire, .judge,
                .forgetPeer, .traffic, .isolation, .explain, .restart, .restore, .snapshot, .snapshots, .removeSnapshot:
                return .refused("from inside an environment ports can be registered and looked up, nothing else")
            }
        } catch {
            return .refused("\(error)")
        }
    }

    /// The registered ports that fit, for people and machines.
    func ports(
        of application: ApplicationID? = nil, named name: ProtocolName? = nil, over transport: TransportProtocol? = nil
    ) -> [PortStatus] {
        registry.entries(of: application, named: name, over: transport).map(status)
    }

    private func status(_ entry: PortRegistry.Entry) -> PortStatus {
        PortStatus(
            port: entry.port, application: entry.holder.application, version: entry.holder.version,
            name: entry.name, endsAt: entry.end.map(time.ofDay(at:)))
    }

    /// The port by which this node reaches the routers of an application's peers: a TCP port, as their conversations need.
    func routerPort(of id: ApplicationID) -> UInt16? {
        registry.ports(of: id).filter { $0.transport == .tcp }.min()?.number
    }

    /// Waits for the end of the next lease, and of no other one.
    func watchLeases() {
        leaseTimer?.cancel()
        leaseTimer = nil
        guard let end = registry.nextEnd, !isEnding else { return }
        let deadline = time.began + end
        leaseTimer = Task {
            do {
                try await clock.sleep(until: deadline)
            } catch {
                return
            }
            await self.endLeases()
        }
    }

    private func endLeases() async {
        for entry in registry.expire(at: elapsed) {
            note(
                "the lease of port \(entry.port) of version \(entry.holder.version) of \(entry.holder.application) ended"
            )
        }
        do {
            try await portsChanged()
        } catch {
            note("routing could not be changed: \(error)", level: .error)
        }
    }

    private func portsChanged() async throws {
        registryChanged()
        try await updateRouting()
    }

    /// Whoever holds ports is on disk: versions outlive a versiond that is killed, and register only once.
    func registryChanged() {
        watchLeases()
        do {
            try registrations.write(keptRegistrations)
        } catch {
            note("registrations cannot be written: \(error)", level: .error)
        }
    }

    private var keptRegistrations: [KeptRegistration] {
        let (machine, elapsed) = (MachineTime(), elapsed)
        return registry.entries(of: nil, named: nil, over: nil).map { entry in
            KeptRegistration(status(entry), endsIn: entry.end.map { $0 - elapsed }, on: machine)
        }
    }

    /// Gives versions the ports that they had when versiond was killed.
    func restoreRegistrations() {
        let machine = MachineTime()
        for kept in registrations.read(isDamaged: { note($0, level: .error) }) {
            let entry = kept.status
            guard applications[entry.application]?.records[entry.version]?.isGone == false else { continue }
            let left = kept.left(on: machine)
            if let left, left < .seconds(1) { continue }
            do {
                // What a release lists was looked at when it was registered.
                try registry.register(
                    [entry.port], as: entry.name, for: PortRegistry.Holder(entry.application, entry.version),
                    listed: [entry.port], lease: left.map { UInt32(clamping: $0.components.seconds) }, at: elapsed)
            } catch {
                note("the registration of port \(entry.port) is lost: \(error)", level: .error)
            }
        }
        watchLeases()
    }
}
