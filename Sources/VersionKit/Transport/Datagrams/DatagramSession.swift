import CLinux
import VersionKitModel
import VersionKitWire

/// One conversation: a port of a version's environment and a port of a peer, as the two applications see them.
///
/// What a datagram needs is ready here: the header's bytes, the socket, the decision. Belongs to the relay's thread.
final class DatagramSession {
    /// Both ends.
    struct Key: Hashable, Codable {
        let version: IPAddress
        let peer: IPAddress
        let versionPort: UInt16
        let peerPort: UInt16
    }

    /// What arrives with the same bytes in front is for the same conversation.
    struct Flow: Hashable {
        let peer: IPAddress
        let peerPort: UInt16
        let port: UInt16
        /// Of the header's bytes, with a seed of this process: 0 for no header.
        let hash: Int
    }

    let key: Key
    let owner: (application: ApplicationID, version: Version)
    /// The registered port by which the routers exchange its datagrams.
    let port: UInt16

    /// The header to send, for as long as ``headerUntil``. The memory stays where it is.
    let header: UnsafeMutableRawBufferPointer
    var headerLength = 0
    var headerUntil: Duration = .zero
    /// What the routers told each other of the route that it is on.
    let offers: PortOffers
    /// When a header was sent last, or the conversation began.
    var toldAt: Duration = .zero
    /// Datagrams to the peer have no header.
    var isPlain = false
    /// The peer has no router, by its last datagram.
    var isAnsweredPlainly = false
    /// The version has sent: its answers are let in although it may not serve yet.
    var isAnswered = false

    /// The peer's last header, as it came, and what it says.
    var peerHeader: [UInt8] = []
    var peerSays: VersionHeader?
    /// The registered port at which it came.
    var arrivalPort: UInt16
    var flow: Flow?
    var heardAt: Duration?

    /// The socket of ``port``.
    var router: DatagramSocket?
    /// This host's address of the peer's family.
    var hostAddress = vk_address()
    /// The socket with the peer's address and port, or that of a registered port where it will do.
    var delivery: DatagramSocket?
    /// The socket that a version's datagram without a header leaves from, likewise; `nil` until there is such a datagram.
    var departure: DatagramSocket?

    /// What is not in the counters yet.
    var uncounted = DatagramCounters.Traffic()
    var isTouched = false

    /// Its place in ``DatagramSessions``; negative: it has none.
    var slot = -1
    var older = -1
    var newer = -1
    var lastUsed: Duration = .zero

    init(
        _ key: Key, owner: (application: ApplicationID, version: Version), port: UInt16, offers: PortOffers,
        headerBytesMax: Int
    ) {
        self.key = key
        self.owner = owner
        self.port = port
        self.offers = offers
        arrivalPort = port
        header = .allocate(byteCount: headerBytesMax, alignment: 8)
    }

    deinit { header.deallocate() }
}
