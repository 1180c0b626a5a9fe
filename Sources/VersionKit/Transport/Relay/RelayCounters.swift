package import VersionKitModel

/// What a router's relay has done since it began. Nothing is dropped without being counted here.
package struct RelayCounters: Sendable, Equatable {
    /// Connections of versions here to peers.
    package var outbound: UInt64 = 0
    /// Connections of peers that were delivered to a version here.
    package var inbound: UInt64 = 0
    /// Connections of peers without a header, delivered to the plain version.
    package var plain: UInt64 = 0
    /// Requests of other routers.
    package var control: UInt64 = 0
    /// Connections that were closed, by reason.
    package var refused: [String: UInt64] = [:]
    /// Pieces of data from peers that were delivered, by application and version.
    package var delivered: [ApplicationID: [Version: UInt64]] = [:]
    /// Bytes relayed, both directions.
    package var bytes: UInt64 = 0

    /// All zero.
    package init() {}

    mutating func refuse(_ reason: String) { refused[reason, default: 0] += 1 }
}
