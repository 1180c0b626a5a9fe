import Synchronization
import VersionKitModel

/// The counters of one version and one peer. Connections of all threads add to it; thread-safe.
final class RelayFlow: Sendable {
    struct Key: Hashable {
        var application: ApplicationID
        var version: Version
        var peer: IPAddress?
    }

    /// All counts, for a relay that goes on from them.
    struct Saved: Sendable, Codable {
        var traffic: RelayTraffic
        var delivered: UInt64
    }

    let key: Key
    let connections = Atomic<UInt64>(0)
    let bytesOut = Atomic<UInt64>(0)
    let bytesIn = Atomic<UInt64>(0)
    /// Pieces of data from the peer that were delivered on its own connections.
    let delivered = Atomic<UInt64>(0)
    private let refused = Mutex<[String: UInt64]>([:])

    init(_ key: Key) { self.key = key }

    /// Goes on from these counts.
    init(_ saved: Saved) {
        let traffic = saved.traffic
        key = Key(application: traffic.application, version: traffic.version, peer: traffic.peer)
        connections.store(traffic.connections, ordering: .relaxed)
        bytesOut.store(traffic.bytesOut, ordering: .relaxed)
        bytesIn.store(traffic.bytesIn, ordering: .relaxed)
        delivered.store(saved.delivered, ordering: .relaxed)
        refused.withLock { $0 = traffic.refused }
    }

    /// Counts a piece of data of a relayed connection.
    ///
    /// - Parameter isDelivery: the version is the one that was connected to.
    func moved(_ bytes: Int, toPeer: Bool, isDelivery: Bool) {
        if toPeer {
            bytesOut.wrappingAdd(UInt64(bytes), ordering: .relaxed)
        } else {
            bytesIn.wrappingAdd(UInt64(bytes), ordering: .relaxed)
            if isDelivery { delivered.wrappingAdd(1, ordering: .relaxed) }
        }
    }

    /// Counts a connection that was closed.
    func refuse(_ reason: String) { refused.withLock { $0[reason, default: 0] += 1 } }

    /// The counts so far.
    var traffic: RelayTraffic {
        var traffic = RelayTraffic(application: key.application, version: key.version, peer: key.peer)
        traffic.connections = connections.load(ordering: .relaxed)
        traffic.bytesOut = bytesOut.load(ordering: .relaxed)
        traffic.bytesIn = bytesIn.load(ordering: .relaxed)
        traffic.refused = refused.withLock { $0 }
        return traffic
    }

    var saved: Saved { Saved(traffic: traffic, delivered: delivered.load(ordering: .relaxed)) }
}
