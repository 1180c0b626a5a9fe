/// Why a packet was not carried by the kernel's fast path, and other things worth counting.
package enum KernelEvent: UInt32, Sendable, CaseIterable, Codable {
    /// A part of a datagram: left to the slow path.
    case fragment
    /// An IP header with options: left to the slow path.
    case options
    /// Its time to live ended: left to the host, which says so to the sender.
    case expired
    /// The source port is taken by another version towards the same port of the peer: left to the slow path.
    case portTaken
    /// No room for a conversation more: left to the slow path.
    case tableFull
    /// It said to be of a version but came from elsewhere: left to the host.
    case foreignSource
    /// It came to a direct port for a connection that is not known: left to the host, which resets it.
    case stray
    /// It came to a direct port, and there was no room: dropped.
    case refused
    /// It was carried, but there was no room to count it by version, peer and port.
    case uncounted
    /// An ICMP error about a packet that was carried: translated as well.
    case errorTranslated
}
