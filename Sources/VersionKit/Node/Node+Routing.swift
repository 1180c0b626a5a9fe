import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitKernel
import VersionKitModel
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade
import VersionKitWire

/// Where bytes go on this node: what the relay and the kernel are told, and what they say.
extension Node {
    /// How often routes are looked at for those that nobody spoke of.
    private static let expiryInterval = Duration.seconds(1)

    /// Has the relay and the kernel route by what runs now, and peers hear of it.
    func updateRouting() async throws {
        CrashPoint.reach("routing")
        // Peers hear of what goes before its way is closed, and of what comes when its way is open.
        announceChanges()
        let directPorts = await kernel.update(serving)
        let routing = try routingTable(directPorts)
        relay.update(routing)
        // A datagram that is intercepted before its port has a socket is lost.
        await withCheckedContinuation { continuation in datagrams.update(routing) { continuation.resume() } }
        if routing.ports != interceptedPorts {
            interceptedPorts = routing.ports
            try hostVersions?.path?.register(routing.ports)
            try await interception.apply(ports: routing.ports)
        }
        announceChanges(opened: routing.applications.mapValues(\.advertised))
    }

    /// The versions that peers hear of and reach: those whose state is complete, and whose environments run.
    private func advertised(_ application: ManagedApplication) -> Set<Version> {
        application.serving.intersection(application.running.keys)
    }

    /// The versions that peers reach before they serve.
    private func early(_ application: ManagedApplication) -> Set<Version> {
        Set(application.running.filter { $0.value.manifest.ports.peersBeforeServe == true }.keys)
    }

    private func routingTable(_ directPorts: [DirectPorts.Key: UInt16]) throws -> RoutingTable {
        var table: [ApplicationID: RoutingTable.Application] = [:]
        for (id, application) in applications {
            table[id] = RoutingTable.Application(
                ports: registry.ports(of: id), versions: application.running.mapValues { $0.environment.addresses },
                advertised: advertised(application), early: early(application),
                plainVersion: application.settings.plainVersion,
                filter: try application.settings.prefixFilter())
        }
        for (key, number) in directPorts {
            table[key.application]?.directPorts[key.version, default: [:]][key.port] = .init(
                number, seconds: KernelRouter.lifetimeSeconds)
        }
        return RoutingTable(table)
    }

    private var serving: Set<KernelRouter.Serving> {
        var serving: Set<KernelRouter.Serving> = []
        for (id, application) in applications {
            for version in advertised(application) {
                guard let environment = application.running[version]?.environment else { continue }
                serving.insert(
                    .init(
                        application: id, version: version, addresses: environment.addresses,
                        interface: environment.interface ?? "", ports: registry.ports(of: id)))
            }
        }
        return serving
    }

    /// What the relays say.
    func handle(_ event: Event) async {
        switch event {
        case .trouble(let text): logger.debug("\(text)")
        case .heard(let header, let address, let port, let isMutual):
            guard let application = applications[header.application] else { return }
            let isNew = peers.peers[header.application]?[address] == nil
            if let version = peers.heard(header, from: address, at: elapsed) {
                logger.debug("a peer shows a version", metadata: ["peer": "\(address)", "version": "\(version)"])
                lookAround(header.application)
                tellPeers()
            }
            if announcements.heard(.init(header.application, address), at: elapsed) { tellPeers() }
            if isNew { mayHaveNews(header.application, address) }
            let isMember = meet(address, of: header.application)
            if let version = [header.sender, header.advertised].compactMap({ $0 }).max() {
                if isMember {
                    considerAdvertised(version, of: header.application, from: address)
                } else if version > application.newest ?? version {
                    strangersAdverts += 1
                }
            }
            guard let port, let version = header.sender, let running = application.running[version] else { return }
            guard let environment = running.environment.addresses[address.family] else { return }
            await kernel.heard(header, from: address, by: port, version: environment, isMutual: isMutual)
        }
    }

    func expireRoutes() async throws {
        while true {
            try await Task.sleep(for: Self.expiryInterval)
            await kernel.expire()
        }
    }

    // MARK: What operators ask

    /// What went between versions here and peers, by path.
    func traffic() async -> [TrafficStatus] {
        var names: [IPAddress: (ApplicationID, Version)] = [:]
        for (id, application) in applications {
            for (version, running) in application.running {
                for address in running.environment.addresses.all { names[address] = (id, version) }
            }
        }
        let relayed = relay.traffic()
            .map { row in
                TrafficStatus(
                    application: row.application, version: row.version, peer: row.peer?.description ?? "others",
                    transport: .tcp, path: "relay", connections: row.connections, bytesOut: row.bytesOut,
                    bytesIn: row.bytesIn)
            }
        let datagrams = datagrams.counters.traffic
            .map { partners, traffic in
                TrafficStatus(
                    application: partners.application, version: partners.version,
                    peer: partners.peer.isAny ? "others" : partners.peer.description, transport: .udp,
                    path: "relay", messages: traffic.sent + traffic.delivered, bytesOut: traffic.sentBytes,
                    bytesIn: traffic.deliveredBytes)
            }
        return await relayed + datagrams
            + kernel.traffic().compactMap { row in
                guard let (application, version) = names[row.route.version] else { return nil }
                return TrafficStatus(
                    application: application, version: version, peer: row.route.peer.description,
                    transport: row.route.port.transport, path: kernel.kind(of: row.route.version),
                    connections: row.connections,
                    messages: row.packetsOut + row.packetsIn, bytesOut: row.bytesOut, bytesIn: row.bytesIn)
            }
    }

    /// Pieces of data, datagrams and packets that peers sent to a version, by either path: what retirement goes by.
    func peerMessages(_ id: ApplicationID, _ version: Version) async -> UInt64 {
        let relayed = datagrams.counters.traffic
            .filter { $0.key.application == id && $0.key.version == version }
            .reduce(relayCounters.delivered[id]?[version] ?? 0) { $0 + $1.value.delivered }
        guard let addresses = applications[id]?.running[version]?.environment.addresses else { return relayed }
        return relayed
            + (await kernel.traffic()).filter { addresses.contains($0.route.version) }.reduce(0) { $0 + $1.packetsIn }
    }

    /// Which path a flow takes.
    func explain(_ query: FlowQuery) async throws -> FlowStatus {
        let environment = applications[query.application]?.running[query.version]?.environment
        let missing = kernel.missingFastPath(of: environment?.addresses.primary ?? query.peer)
        let path = FlowPath(
            from: query.version, of: query.application, to: query.peer, port: query.port, table: try routingTable([:]),
            routes: await kernel.routes, missingFastPath: missing, now: elapsed)
        return FlowStatus(query, path)
    }

    /// The state of the fast path.
    func kernelStatus() async -> KernelStatus {
        KernelStatus(
            kind: kernel.path?.kind.rawValue, hostKind: kernel.hostPath?.kind.rawValue,
            missing: Dictionary(uniqueKeysWithValues: kernel.missing.map { ($0.key.rawValue, $0.value) }),
            directPorts: await kernel.directPortCount, routes: await kernel.routes.entries.count,
            failures: await kernel.failures)
    }
}

extension FlowStatus {
    /// The answer to a question about a flow that takes this path.
    init(_ query: FlowQuery, _ path: FlowPath) {
        let text = "\(query.application) \(query.version) -> \(query.peer) port \(query.port): \(path)"
        switch path {
        case .unmanaged: self.init(query, .untouched, .notRegistered, explanation: text)
        case .notRunning: self.init(query, .nowhere, .notRunning, explanation: text)
        case .noAddress: self.init(query, .nowhere, .noAddress, explanation: text)
        case .kernel(let port, let remaining):
            self.init(
                query, .fast, .learnt, directPort: port, remainingSeconds: remaining.components.seconds,
                explanation: text)
        case .relay(.noFastPath(let why)): self.init(query, .slow, .noFastPath, missing: why, explanation: text)
        case .relay(.notServing): self.init(query, .slow, .notServing, explanation: text)
        case .relay(.notLearnt): self.init(query, .slow, .notLearnt, explanation: text)
        }
    }
}
