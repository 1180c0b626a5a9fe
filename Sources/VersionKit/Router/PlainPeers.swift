package import VersionKitModel

/// Peers that turned out to have no router, for as long as that is believed.
///
/// A value with the clock of its caller; bounded, the oldest finding makes room for a new one.
///
/// - Note: R5; DESIGN 6.
package struct PlainPeers: Sendable {
    private let lifetime: Duration
    private let countMax: Int
    private var until: [Endpoint: Duration] = [:]

    /// Nobody is known.
    package init(limits: Limits) {
        lifetime = limits.plainPeerLifetime
        countMax = limits.plainPeersMax
    }

    /// Those that are known, and for how much longer.
    package func remaining(at time: Duration) -> [Endpoint: Duration] {
        until.mapValues { $0 - time }.filter { $0.value > .zero }
    }

    /// Goes on believing what an earlier process of this node believed, for what remains of that.
    package mutating func adopt(_ remaining: [Endpoint: Duration], at time: Duration) {
        for (endpoint, duration) in remaining where until.count < countMax {
            until[endpoint] = time + min(duration, lifetime)
        }
    }

    /// How many are known.
    package var count: Int { until.count }

    /// Whether this port of a peer is taken for one without a router.
    package mutating func contains(_ endpoint: Endpoint, at time: Duration) -> Bool {
        guard let end = until[endpoint] else { return false }
        if end > time { return true }
        until[endpoint] = nil
        return false
    }

    /// The peer answered plainly.
    package mutating func found(_ endpoint: Endpoint, at time: Duration) {
        if until[endpoint] == nil, until.count >= countMax,
            let oldest = until.min(by: { $0.value < $1.value })
        {
            until[oldest.key] = nil
        }
        until[endpoint] = time + lifetime
    }

    /// A router was heard at this address: whatever was believed of its ports is out of date.
    package mutating func heardRouter(at address: IPAddress) {
        guard !until.isEmpty else { return }
        until = until.filter { $0.key.address != address }
    }
}
