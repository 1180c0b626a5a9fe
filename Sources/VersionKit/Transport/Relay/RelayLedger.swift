import Synchronization
import VersionKitModel

/// The counters of all threads of a relay. Thread-safe; what is counted for each piece of data takes no lock.
final class RelayLedger: Sendable {
    private struct State {
        var flows: [RelayFlow.Key: RelayFlow] = [:]
        var refused: [String: UInt64] = [:]
    }

    let outbound = Atomic<UInt64>(0)
    let inbound = Atomic<UInt64>(0)
    let plain = Atomic<UInt64>(0)
    let control = Atomic<UInt64>(0)
    let pooled = Atomic<UInt64>(0)
    let unused = Atomic<UInt64>(0)
    private let state = Mutex(State())
    private let flowsMax: Int

    /// All counts, for a relay that goes on from them.
    struct Saved: Sendable, Codable {
        /// Those of the flows are in ``flows`` as well.
        var counters = RelayCounters()
        var flows: [RelayFlow.Saved] = []
    }

    /// Counters that go on from these.
    init(limits: Limits, _ saved: Saved) {
        flowsMax = limits.relayFlowsMax
        outbound.store(saved.counters.outbound, ordering: .relaxed)
        inbound.store(saved.counters.inbound, ordering: .relaxed)
        plain.store(saved.counters.plain, ordering: .relaxed)
        control.store(saved.counters.control, ordering: .relaxed)
        pooled.store(saved.counters.pooled, ordering: .relaxed)
        unused.store(saved.counters.unused, ordering: .relaxed)
        let flows = saved.flows.map { RelayFlow($0) }
        state.withLock { state in
            state.refused = saved.counters.refused
            state.flows = Dictionary(flows.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The counters of a version and a peer.
    func flow(_ application: ApplicationID, _ version: Version, _ peer: IPAddress) -> RelayFlow {
        state.withLock { state in
            var key = RelayFlow.Key(application: application, version: version, peer: peer)
            if let known = state.flows[key] { return known }
            if state.flows.count >= flowsMax {
                // One for each version, so that this is bounded by what the node itself runs.
                key.peer = nil
                if let others = state.flows[key] { return others }
            }
            let flow = RelayFlow(key)
            state.flows[key] = flow
            return flow
        }
    }

    /// Counts a connection that was closed.
    func refuse(_ reason: String) { state.withLock { $0.refused[reason, default: 0] += 1 } }

    /// What every version and peer had so far, in no order.
    var traffic: [RelayTraffic] { flows.map(\.traffic) }

    /// All of it.
    var saved: Saved { Saved(counters: counters, flows: flows.map(\.saved)) }

    private var flows: [RelayFlow] { state.withLock { Array($0.flows.values) } }

    /// The sums.
    var counters: RelayCounters {
        var counters = RelayCounters()
        counters.outbound = outbound.load(ordering: .relaxed)
        counters.inbound = inbound.load(ordering: .relaxed)
        counters.plain = plain.load(ordering: .relaxed)
        counters.control = control.load(ordering: .relaxed)
        counters.pooled = pooled.load(ordering: .relaxed)
        counters.unused = unused.load(ordering: .relaxed)
        counters.refused = state.withLock { $0.refused }
        for flow in flows {
            counters.bytes += flow.bytesIn.load(ordering: .relaxed) + flow.bytesOut.load(ordering: .relaxed)
            let delivered = flow.delivered.load(ordering: .relaxed)
            if delivered > 0 {
                counters.delivered[flow.key.application, default: [:]][flow.key.version, default: 0] += delivered
            }
        }
        return counters
    }
}
