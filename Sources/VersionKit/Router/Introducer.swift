public import VersionKitModel

/// Who is told of whom when a release is fetched.
///
/// Everybody who fetches a release from this node, or asks for peers, is remembered for a time; who asks gets a few of the
/// others. Few on purpose: a seed that everybody knows sends everybody the same pieces, and a network in which all know all
/// is slower than a sparse one. So this node names itself only to the first ``seedNeighbours``, and to those that say that
/// they do not get on.
///
/// A value: time and chance are arguments. Bounded: see the constants.
public struct Introducer: Sendable {
    /// How many peers this node names itself to at first.
    public static let seedNeighbours = 4
    /// How many peers one answer has at most, this node included.
    public static let answerMax = 8
    /// Peers of one release that are remembered; who has been silent longest goes first.
    public static let peersMax = 512
    /// Releases whose peers are remembered.
    public static let releasesMax = 32
    /// How long a peer is remembered that does not ask again.
    public static let memory = Duration.seconds(600)

    /// One release.
    public struct Release: Sendable, Hashable {
        /// The application.
        public var application: ApplicationID
        /// Its version.
        public var version: Version

        /// A release.
        public init(_ application: ApplicationID, _ version: Version) {
            self.application = application
            self.version = version
        }
    }

    private struct Swarm {
        var lastAsked: [Endpoint: Duration] = [:]
        /// Whom this node has been named to.
        var neighbours: Set<Endpoint> = []
        var touched: Duration
    }

    private var swarms: [Release: Swarm] = [:]

    /// Knows nobody.
    public init() {}

    /// A peer wants to know others; it is known from now on.
    ///
    /// - Parameters:
    ///   - asker: where the peer can be reached.
    ///   - isStuck: whether it says that it gets nothing from those that it knows.
    ///   - own: where this node itself can be reached, of the asker's kind of address.
    /// - Returns: whom to tell it of, all of its own kind of address.
    public mutating func answer(
        _ asker: Endpoint, about release: Release, isStuck: Bool, own: Endpoint?, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> [Endpoint] {
        remember(asker, of: release, at: now)
        guard var swarm = swarms[release] else { return [] }
        var others = swarm.lastAsked.keys.filter { $0 != asker && $0.address.family == asker.address.family }
        // The order of a dictionary is chance too, but not that of the argument.
        others.sort { ($0.address, $0.port) < ($1.address, $1.port) }
        others.shuffle(using: &random)
        var answer: [Endpoint] = []
        if let own, isStuck || swarm.neighbours.contains(asker) || swarm.neighbours.count < Self.seedNeighbours {
            swarm.neighbours.insert(asker)
            answer = [own]
        }
        swarms[release] = swarm
        return answer + others.prefix(Self.answerMax - answer.count)
    }

    /// This node heard of a peer elsewhere.
    public mutating func remember(_ peer: Endpoint, of release: Release, at now: Duration) {
        var swarm = swarms[release] ?? Swarm(touched: now)
        swarm.touched = now
        swarm.lastAsked[peer] = now
        swarm.lastAsked = swarm.lastAsked.filter { now - $0.value <= Self.memory }
        if swarm.lastAsked.count > Self.peersMax,
            let oldest = swarm.lastAsked.filter({ $0.key != peer }).min(by: { $0.value < $1.value })
        {
            swarm.lastAsked[oldest.key] = nil
        }
        swarm.neighbours.formIntersection(swarm.lastAsked.keys)
        swarms[release] = swarm
        if swarms.count > Self.releasesMax,
            let oldest = swarms.filter({ $0.key != release }).min(by: { $0.value.touched < $1.value.touched })
        {
            swarms[oldest.key] = nil
        }
    }

    /// How many peers of a release are remembered.
    public func count(of release: Release) -> Int { swarms[release]?.lastAsked.count ?? 0 }
}
