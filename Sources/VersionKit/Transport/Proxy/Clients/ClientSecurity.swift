public import NIOCore

/// What protects a proxy's client connections: `ProxyTLS` of the module VersionKitTLS.
///
/// A protected connection cannot move to a newer proxy, which has no part in its secrets: it is closed between two
/// requests when one takes over, and the client's next one is the newer proxy's.
public protocol ClientSecurity: Sendable {
    /// Prepares a new connection of a client, on its event loop, before any byte was read.
    func secure(_ channel: any Channel) throws
}
