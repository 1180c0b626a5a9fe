package import VersionKitKernel
package import VersionKitModel
package import VersionKitRouter
package import VersionKitWire

/// Keeps the router's fast path in step with what serves here and with what peers say.
///
/// An actor of its own: the kernel may take milliseconds to be told, in which the node has other things to do.
///
/// - Note: DESIGN 6.
package actor KernelRouter {
    /// How long peers may use a direct port without hearing of it again: so long the first conversation with a version
    /// that has just begun to serve may stay unknown to those who need not ask.
    package static let lifetime = Duration.seconds(Int(lifetimeSeconds))
    /// The same as headers have it.
    package static let lifetimeSeconds: UInt16 = 60
    /// The ports that may be given out, if the configuration names no others.
    package static let portsDefault: ClosedRange<UInt16> = 10_001...11_000

    /// The kernel's flows are looked through every so many times that routes are.
    private static let maintenanceInterval = 5

    /// A version that serves here.
    package struct Serving: Sendable, Hashable, Codable {
        /// Its application.
        package var application: ApplicationID
        /// Its number.
        package var version: Version
        /// Its environment's addresses.
        package var addresses: HostAddresses
        /// The host's end of its environment's link; nothing if it is in the node's own network.
        package var interface: String
        /// The application's registered ports.
        package var ports: Set<TransportPort>

        /// A version.
        package init(
            application: ApplicationID, version: Version, addresses: HostAddresses, interface: String,
            ports: Set<TransportPort>
        ) {
            self.application = application
            self.version = version
            self.addresses = addresses
            self.interface = interface
            self.ports = ports
        }
    }

    /// A number that leads to a version, whichever of the node's addresses it is used at.
    struct Opened: Hashable, Codable {
        var number: UInt16
        var port: TransportPort
        var addresses: HostAddresses
        var interface: String

        var ports: [DirectPort] { addresses.all.map { DirectPort(number, for: port, of: $0) } }
    }

    /// The fast path, if the node has one.
    package nonisolated let path: (any KernelPath)?
    /// The same for versions in the node's own network, which are at addresses of the loopback.
    package nonisolated let hostPath: (any KernelPath)?
    /// Why the better ones cannot be had.
    package nonisolated let missing: [KernelPathKind: String]
    /// Whether the path has the ports and routes of the versiond before.
    let hasResumedPath: Bool
    private let file: StateFile<GivenPort>
    private let now: @Sendable () -> Duration
    private let note: @Sendable (String) -> Void
    private var ports: DirectPorts
    package internal(set) var routes = DirectRoutes()
    var opened: [DirectPorts.Key: Opened] = [:]
    var served: Set<Serving> = []
    private var maintenance = 0
    /// The numbers that are on disk.
    private var written: [DirectPorts.Key: UInt16] = [:]
    /// What the kernel refused.
    package internal(set) var failures: UInt64 = 0
    /// The routes are those of the versiond before, and the kernel does not know them yet.
    var isResuming = false

    /// A router for this fast path, or for none.
    ///
    /// - Parameters:
    ///   - hostPath: that of versions in the node's own network.
    ///   - hasResumedPath: whether it has what the one before had.
    ///   - missing: why kinds that were wanted cannot be had.
    ///   - range: the direct ports.
    ///   - file: where the direct ports that were given out are written down.
    ///   - now: the time since some moment that never changes.
    ///   - note: hears of what went wrong.
    package init(
        path: (any KernelPath)?, hostPath: (any KernelPath)? = nil, hasResumedPath: Bool = false,
        missing: [KernelPathKind: String],
        range: ClosedRange<UInt16>, file: String,
        now: @escaping @Sendable () -> Duration, note: @escaping @Sendable (String) -> Void
    ) {
        self.path = path
        self.hostPath = hostPath
        self.hasResumedPath = hasResumedPath
        self.missing = missing
        self.file = StateFile(path: file)
        self.now = now
        self.note = note
        ports = DirectPorts(
            range: range, rest: Self.lifetime, numbers: GivenPort.numbers(self.file.read(isDamaged: note)))
    }

    /// Why flows take the slow path, if there is no other.
    package nonisolated func missingFastPath(of version: IPAddress) -> String? {
        guard path(of: version) == nil else { return nil }
        guard !missing.isEmpty else { return "the configuration wants none" }
        return missing.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue): \($0.value)" }
            .joined(separator: "; ")
    }

    private nonisolated var paths: [any KernelPath] { [path, hostPath].compactMap(\.self) }

    /// What carries a version's traffic.
    private nonisolated func path(of version: IPAddress) -> (any KernelPath)? {
        (version.v4 ?? 0) >> 24 == 127 ? hostPath : path
    }

    /// Whether there is a fast path to a port of a version: in the node's own network for TCP only.
    private nonisolated func isCarried(_ port: TransportPort, of version: IPAddress) -> Bool {
        path(of: version).map { $0.kind != .cgroup || port.transport == .tcp } ?? false
    }

    /// These versions serve, and no others.
    ///
    /// - Returns: the direct port of each version's registered port, for headers.
    package func update(_ serving: Set<Serving>) -> [DirectPorts.Key: UInt16] {
        guard !paths.isEmpty else { return [:] }
        let now = now()
        var wanted: [DirectPorts.Key: Serving] = [:]
        for version in serving {
            for port in version.ports where isCarried(port, of: version.addresses.primary) {
                wanted[DirectPorts.Key(version.application, version.version, port)] = version
            }
        }
        // First what goes: another version may be given the same address.
        for (key, old) in opened
        where wanted[key].map({ $0.addresses != old.addresses || $0.interface != old.interface }) ?? true {
            close(old.ports)
            opened[key] = nil
        }
        ports.keep(Set(wanted.keys), at: now)
        // Whoever serves another list of versions has something to tell: the next conversation goes with a header again.
        let changed = Set(served.symmetricDifference(serving).map(\.application))
        perform(routes.keep(Set(serving.filter { !changed.contains($0.application) }.flatMap(\.addresses.all))))
        served = serving
        let reserved = Set(wanted.keys.map(\.port.number))
        for key in wanted.keys.sorted(by: { "\($0)" < "\($1)" }) {
            _ = ports.number(for: key, avoiding: reserved, at: now)
        }
        guard isWritten(ports.known) else { return opened.mapValues(\.number) }
        for (key, version) in wanted where opened[key] == nil {
            guard let number = ports.numbers[key] else { continue }
            let new = Opened(
                number: number, port: key.port, addresses: version.addresses, interface: version.interface)
            if open(new) { opened[key] = new }
        }
        if isResuming {
            perform(
                routes.entries.map { route, entry in
                    entry.isTaken ? .learn(route, to: entry.number) : .name(route, entry.number)
                })
        }
        isResuming = false
        return opened.mapValues(\.number)
    }

    /// For all of a version's addresses or for none: peers hear one number, whichever they speak to.
    private func open(_ new: Opened) -> Bool {
        for (index, port) in new.ports.enumerated()
        where !attempt({ () throws(KernelPathError) in
            try path(of: port.version)?.open(port, interface: new.interface)
        }) {
            close(new.ports.prefix(index))
            return false
        }
        return true
    }

    private func close(_ ports: some Sequence<DirectPort>) {
        for port in ports { attempt { () throws(KernelPathError) in try path(of: port.version)?.close(port) } }
    }

    /// A number that is not on disk must not be given out: after a crash it could become another version's.
    private func isWritten(_ numbers: [DirectPorts.Key: UInt16]) -> Bool {
        guard numbers != written else { return true }
        do {
            try file.write(GivenPort.list(numbers))
            written = numbers
            return true
        } catch {
            failures += 1
            note("direct ports cannot be written down, and are not given out: \(error)")
            return false
        }
    }

    /// A version of a peer sent a header by this port to the version with this address.
    ///
    /// - Parameter isMutual: whether the peer has heard of the version's direct port here.
    package func heard(
        _ header: VersionHeader, from peer: IPAddress, by port: TransportPort, version: IPAddress, isMutual: Bool
    ) {
        guard isCarried(port, of: version), opened.values.contains(where: { $0.addresses.contains(version) })
        else { return }
        let offer = header.directPort.map { ($0.number, min(.seconds(Int($0.seconds)), Self.lifetime)) }
        let route = DirectRoute(from: version, to: peer, port: port)
        if let change = routes.heard(offer, of: route, isMutual: isMutual, at: now()) { perform([change]) }
    }

    /// Forgets what was not heard of for too long; called about once a second.
    package func expire() {
        perform(routes.expire(at: now(), rest: Self.lifetime))
        maintenance = (maintenance + 1) % Self.maintenanceInterval
        guard maintenance == 0 else { return }
        for path in paths { attempt { () throws(KernelPathError) in try path.maintain() } }
    }

    /// The peer's list of versions changed.
    package func forget(peer: IPAddress) { perform(routes.forget(peer: peer)) }

    private func perform(_ changes: [DirectRoutes.Change]) {
        for change in changes {
            switch change {
            case .learn(let route, let number):
                if !attempt({ () throws(KernelPathError) in try path(of: route.version)?.learn(route, to: number) }) {
                    routes.failed(route)
                }
            case .name(let route, let number):
                if !attempt({ () throws(KernelPathError) in try path(of: route.version)?.name(route, number) }) {
                    routes.failed(route)
                }
            case .rest(let route):
                attempt { () throws(KernelPathError) in try path(of: route.version)?.rest(route) }
            case .forget(let route):
                attempt { () throws(KernelPathError) in try path(of: route.version)?.forget(route) }
            }
        }
    }

    @discardableResult
    private func attempt(_ change: () throws(KernelPathError) -> Void) -> Bool {
        do {
            try change()
            return true
        } catch {
            failures += 1
            note("the fast path refused a change: \(error)")
            return false
        }
    }

    /// What went by the kernel so far.
    package func traffic() -> [KernelTraffic] {
        paths.flatMap { path in
            do throws(KernelPathError) {
                return try path.traffic()
            } catch {
                failures += 1
                note("the fast path's counters cannot be read: \(error)")
                return []
            }
        }
    }

    /// What carries a version's traffic, by its name.
    package nonisolated func kind(of version: IPAddress) -> String { path(of: version)?.kind.rawValue ?? "" }

    /// How many ports lead straight to versions.
    package var directPortCount: Int { opened.count }

    /// Undoes all of it.
    package func stop() { for path in paths { path.remove() } }
}
