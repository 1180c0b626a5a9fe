public import VersionKitModel

/// What a router's relay has done since it began. Nothing is dropped without being counted here.
public struct RelayCounters: Sendable, Equatable {
    /// Connections of versions here to peers.
    public var outbound: UInt64 = 0
    /// Connections of peers that were delivered to a version here.
    public var inbound: UInt64 = 0
    /// Connections of peers without a header, delivered to the plain version.
    public var plain: UInt64 = 0
    /// Requests of other routers.
    public var control: UInt64 = 0
    /// Connections that were closed, by reason.
    public var refused: [String: UInt64] = [:]
    /// Pieces of data from peers that were delivered, by application and version.
    public var delivered: [ApplicationID: [Version: UInt64]] = [:]
    /// Bytes relayed, both directions.
    public var bytes: UInt64 = 0

    /// All zero.
    public init() {}

    mutating func refuse(_ reason: String) { refused[reason, default: 0] += 1 }
}
