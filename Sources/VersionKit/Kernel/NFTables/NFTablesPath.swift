import Synchronization
package import VersionKitModel

/// The fast path made of nftables maps and connection tracking: for nodes whose kernel takes no eBPF.
///
/// A table of its own for each kind of IP, beside the ``Interception``'s. Every change is one transaction; it blocks for as
/// long as `nft` takes, some milliseconds, and changes go one after the other. Thread-safe.
///
/// Counted are packets, bytes and connections by environment, peer and registered port, for peers that began as well as
/// for versions. Not counted are TCP connections by their ends, the packets of a connection that outlived
/// ``close(_:)``, and what is beyond 65536 such triples.
///
/// - Note: R5, R8; DESIGN 6; docs/interception.md.
package final class NFTablesPath: KernelPath {
    private let network: HostNetwork
    private let rulesets: [NFTablesRuleset]
    private let state: Mutex<State>

    private struct State {
        /// By the kind of IP; empty when another one goes on with them.
        var models: [IPAddress.Family: NFTablesModel]
        var totals: NFTablesTotals
    }

    package let kind = KernelPathKind.nftables

    /// Makes the tables, or goes on with those of another one; those that a killed process left are replaced.
    ///
    /// - Parameters:
    ///   - addresses: the host's own addresses, which peers send to.
    ///   - environmentNetworks: the first addresses of the networks of environments, a /16 and a /64.
    ///   - lifetime: how long the kernel keeps a route that is not learnt again; whole seconds.
    ///   - resuming: of the one to go on with. What it carried is carried all the time.
    /// - Throws: an error that is `isUnsupported` when this kernel has not all that is needed. There is no table then.
    package init(
        addresses: HostAddresses, environmentNetworks: HostAddresses,
        lifetime: Duration = .seconds(3600), resuming: Handover? = nil, network: HostNetwork = HostNetwork()
    ) throws(KernelPathError) {
        let rulesets = addresses.all.compactMap { address in
            environmentNetworks[address.family].map { NFTablesRuleset(address: address, environmentNetwork: $0) }
        }
        self.network = network
        self.rulesets = rulesets
        let now = ContinuousClock.now
        var models: [IPAddress.Family: NFTablesModel] = [:]
        for ruleset in rulesets {
            models[ruleset.family] = NFTablesModel(
                address: ruleset.address, lifetime: lifetime,
                resuming: resuming?.tables[ruleset.family]?.model ?? .init(ports: [], routes: [:], names: [:]), now: now
            )
        }
        var script = ""
        for ruleset in rulesets where ruleset.text != resuming?.tables[ruleset.family]?.text {
            script += ruleset.text + (models[ruleset.family]?.refill(now: now) ?? "")
        }
        state = Mutex(State(models: models, totals: resuming?.totals ?? .init()))
        do {
            // Counters of a table that is replaced begin again.
            if resuming != nil, !script.isEmpty { _ = try? traffic() }
            if !script.isEmpty { try network.run("nft", ["-f", "-"], input: script) }
            if resuming != nil, !script.isEmpty { _ = try? traffic() }
        } catch {
            for family in IPAddress.Family.allCases { Self.remove(family, network) }
            throw KernelPathError(error.reason, isUnsupported: true)
        }
        for family in resuming?.tables.keys ?? [:].keys where models[family] == nil { Self.remove(family, network) }
    }

    /// What another one needs to go on with the tables.
    package struct Handover: Sendable, Hashable, Codable {
        struct Table: Sendable, Hashable, Codable {
            /// As it was made.
            var text: String
            var model: NFTablesModel.Handover
        }

        var tables: [IPAddress.Family: Table]
        var totals: NFTablesTotals

        /// Removes the tables, where no such path is wanted any more.
        package func discard() {
            for family in tables.keys { NFTablesPath.remove(family, HostNetwork()) }
        }
    }

    /// Gives the tables, as they are, to another one: this one does nothing more, and refuses changes.
    package func handOver() -> Handover {
        state.withLock { state in
            let now = ContinuousClock.now
            var tables: [IPAddress.Family: Handover.Table] = [:]
            for ruleset in rulesets {
                guard let model = state.models[ruleset.family] else { continue }
                tables[ruleset.family] = .init(text: ruleset.text, model: model.handOver(now: now))
            }
            state.models = [:]
            return Handover(tables: tables, totals: state.totals)
        }
    }

    package func open(_ port: DirectPort, interface: String) throws(KernelPathError) {
        try change(port.version.family) { (model) throws(KernelPathError) in try model.open(port) }
    }

    package func close(_ port: DirectPort) throws(KernelPathError) {
        let family = port.version.family
        try change(family) { (model) throws(KernelPathError) in model.close(port) }
        try state.withLock { (state) throws(KernelPathError) in
            guard state.models[family]?.ports.contains(where: { $0.version == port.version }) == false else { return }
            state.totals.update(try counters(state.models.keys))
            state.totals.forget(port.version)
        }
    }

    package func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError) {
        try change(route.version.family) { (model) throws(KernelPathError) in
            try model.learn(route, to: directPort, now: .now)
        }
    }

    package func name(_ route: DirectRoute, _ directPort: UInt16) throws(KernelPathError) {
        try change(route.version.family) { (model) throws(KernelPathError) in
            model.name(route, directPort, now: .now)
        }
    }

    package func forget(_ route: DirectRoute) throws(KernelPathError) {
        try change(route.version.family) { (model) throws(KernelPathError) in model.forget(route) }
    }

    package func traffic() throws(KernelPathError) -> [KernelTraffic] {
        try state.withLock { (state) throws(KernelPathError) in
            state.totals.update(try counters(state.models.keys))
            return state.totals.traffic
        }
    }

    private func counters(_ families: some Sequence<IPAddress.Family>) throws(KernelPathError) -> NFTablesTraffic {
        var text = ""
        for family in families {
            // Lists of more than one set in one run come out empty or fail with nft 1.0.6.
            for set in ["sent", "received", "begun"] {
                text += try network.run("nft", ["-nn", "list", "set", family.word, NFTablesRuleset.table, set])
            }
        }
        return NFTablesTraffic(text)
    }

    package func remove() {
        state.withLock { state in
            for family in state.models.keys { Self.remove(family, network) }
        }
    }

    /// It fails when somebody else has removed the table, which is as good.
    fileprivate static func remove(_ family: IPAddress.Family, _ network: HostNetwork) {
        _ = try? network.run("nft", ["-f", "-"], input: NFTablesRuleset.removal(family))
    }

    /// The model changes only if the kernel does.
    private func change(
        _ family: IPAddress.Family, _ decide: (inout NFTablesModel) throws(KernelPathError) -> NFTablesModel.Change
    ) throws(KernelPathError) {
        try state.withLock { (state) throws(KernelPathError) in
            guard var model = state.models[family] else {
                throw KernelPathError("there is no fast path for IP\(family)")
            }
            let change = try decide(&model)
            let tracking = ConnectionTracking(network: network, family: family)
            // Where no flow has to end in between, one transaction does it.
            var script = change.preparation + change.script
            if !change.superseded.isEmpty {
                try network.run("nft", ["-f", "-"], input: change.preparation)
                try tracking.end(change.superseded)
                script = change.script
            }
            if !script.isEmpty { try network.run("nft", ["-f", "-"], input: script) }
            state.models[family] = model
            try tracking.end(change.ended)
        }
    }
}
