package import VersionKitModel

/// What a router's datagram relay has done since it began, or since that which it took over from did. Nothing is dropped without being counted here.
package struct DatagramCounters: Sendable, Equatable, Codable {
    /// The most pairs of a version and a peer that are counted apart.
    package static let partnersMax = 4096

    /// A version here, and a peer it exchanged datagrams with.
    package struct Partners: Sendable, Hashable, Codable {
        /// The version's application.
        package var application: ApplicationID
        /// The version.
        package var version: Version
        /// The peer; 0.0.0.0 for all that there was no room to count apart.
        package var peer: IPAddress

        /// A pair.
        package init(application: ApplicationID, version: Version, peer: IPAddress) {
            self.application = application
            self.version = version
            self.peer = peer
        }
    }

    /// How much went both ways, without headers.
    package struct Traffic: Sendable, Equatable, Codable {
        /// Datagrams of the version to the peer.
        package var sent: UInt64 = 0
        /// Bytes of those.
        package var sentBytes: UInt64 = 0
        /// Datagrams of the peer that were delivered.
        package var delivered: UInt64 = 0
        /// Bytes of those.
        package var deliveredBytes: UInt64 = 0

        /// Nothing.
        package init() {}

        static func += (left: inout Traffic, right: Traffic) {
            left.sent += right.sent
            left.sentBytes += right.sentBytes
            left.delivered += right.delivered
            left.deliveredBytes += right.deliveredBytes
        }
    }

    /// All that went both ways.
    package var total = Traffic()
    /// The same by version and peer.
    package var traffic: [Partners: Traffic] = [:]
    /// Datagrams among them that had no header, both ways.
    package var plain: UInt64 = 0
    /// Datagrams of other routers, for this one.
    package var control: UInt64 = 0
    /// Datagrams that were not passed on, by reason.
    package var dropped: [String: UInt64] = [:]
    /// Error messages that were sent to versions and peers, as the network would have.
    package var notices: UInt64 = 0
    /// Error messages and reports of headers that there were too many of.
    package var noticesWithheld: UInt64 = 0
    /// Conversations that are remembered now.
    package var sessions = 0
    /// Conversations that were forgotten because there was no room for more.
    package var sessionsEvicted: UInt64 = 0
    /// Peers' ports that were in use here, so that a version saw another one.
    package var portsReplaced: UInt64 = 0

    /// All zero.
    package init() {}

    /// Adds what was counted since the last time, except for what is counted by conversation, and leaves zeros there.
    mutating func take(_ fresh: inout DatagramCounters) {
        plain += fresh.plain
        control += fresh.control
        notices += fresh.notices
        noticesWithheld += fresh.noticesWithheld
        sessionsEvicted += fresh.sessionsEvicted
        portsReplaced += fresh.portsReplaced
        for (reason, count) in fresh.dropped { drop(reason, count) }
        if fresh != DatagramCounters() { fresh = DatagramCounters() }
    }

    mutating func drop(_ reason: String, _ count: UInt64 = 1) { dropped[reason, default: 0] += count }

    mutating func add(_ more: Traffic, of partners: Partners) {
        total += more
        var key = partners
        if traffic[key] == nil, traffic.count >= Self.partnersMax { key.peer = IPAddress(v4: 0) }
        traffic[key, default: Traffic()] += more
    }
}
