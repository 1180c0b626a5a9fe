public import NIOCore

/// What protects a proxy's client connections: `ProxyTLS` of the module VersionKitTLS.
///
/// A protected connection cannot move to a newer proxy, which has no part in its secrets: the older one serves it until it
/// is quiet, and closes it between two requests (`Limits.handoverQuietTime`). The client's next one is the newer proxy's.
public protocol ClientSecurity: Sendable {
    /// Prepares a new connection of a client, on its event loop, before any byte was read.
    func secure(_ channel: any Channel) throws
}
