/// What happened to sockets of versions in the host's own network, and is worth counting.
package enum HostEvent: UInt32, Sendable, CaseIterable, Codable {
    /// A socket that was bound to another address than its version's had no way to a registered port of a peer that keeps
    /// versions apart: it was not connected (EPERM).
    case refused
    /// No port was found to connect from in so many attempts: the connection took the slow path.
    case noPort
    /// A connection came to a direct port at which the version does not listen: left to the host, which resets it.
    case notListening
    /// It was carried, but there was no room to count it by version, peer and port.
    case uncounted
}
