import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A UDP socket of the datagram relay, non-blocking and closed on exec. Belongs to the relay's thread, and closes with it.
final class DatagramSocket {
    /// What it is for.
    enum Role: Codable {
        /// A registered port, on every address of a family.
        case port(UInt16)
        /// A peer's address and port: for delivering what it sent, and for the answers.
        case peer(Endpoint)
        /// A version's port on this host, for what it sends to a peer without a router: of this conversation alone.
        case departure(DatagramSession.Key)
    }

    /// Room for bursts, and for what comes while one relay hands over to another; beyond the machine's limit, as root may.
    /// All of them together are bounded by the kernel (`udp_mem`).
    private static let bufferBytes: Int32 = 4 << 20

    let descriptor: Int32
    let family: IPAddress.Family
    let role: Role
    /// Whether it is a registered port's, which all conversations share.
    let isShared: Bool
    /// Conversations that use it.
    var users = 0
    /// Its place in the loop's table.
    var token: UInt64 = 0
    /// Whether the kernel takes several datagrams in one piece here; found out by trying.
    var sendsSegments = true
    /// Datagrams that the kernel had to drop, as it said last.
    var overflow: UInt32 = 0
    /// Whether the kernel may send in fragments what does not fit.
    private(set) var sendsFragments: Bool

    private init(_ family: IPAddress.Family, _ role: Role, reusable: Bool = true, sendsFragments: Bool)
        throws(SystemError)
    {
        self.family = family
        descriptor = try Self.make(family, reusable: reusable)
        self.role = role
        if case .port = role { isShared = true } else { isShared = false }
        self.sendsFragments = sendsFragments
    }

    /// False: another relay goes on with it.
    var isClosedInTheEnd = true

    deinit { if isClosedInTheEnd { close(descriptor) } }

    /// A socket that another relay had.
    init(_ state: State) {
        family = state.family
        descriptor = state.descriptor.number
        role = state.role
        if case .port = role { isShared = true } else { isShared = false }
        overflow = state.overflow
        sendsSegments = state.sendsSegments
        sendsFragments = state.sendsFragments
    }

    /// The socket of a registered port.
    static func port(_ port: RegisteredPort) throws(SystemError) -> DatagramSocket {
        // What a version sends in one piece arrives in one piece, or it is told that it does not fit.
        try DatagramSocket(port.family, .port(port.number), sendsFragments: false).ready("bind to port \(port.number)")
        {
            vk_bind_transparent($0, vk_endpoint(port.family.any, port.number)) == 0
        }
    }

    private func makeRoom() {
        for option in [SO_RCVBUFFORCE, SO_SNDBUFFORCE] {
            // Without the right to it the usual size has to do.
            _ = vk_set_socket_option(descriptor, SOL_SOCKET, option, Self.bufferBytes)
        }
    }

    /// A socket with a peer's address and port; any other port if that one is in use here.
    static func peer(_ peer: Endpoint) throws(SystemError) -> (socket: DatagramSocket, isReplaced: Bool) {
        var isReplaced = false
        let socket = try DatagramSocket(peer.address.family, .peer(peer), sendsFragments: true).ready("bind to \(peer)")
        {
            if vk_bind_transparent($0, vk_endpoint(peer)) == 0 { return true }
            isReplaced = errno == EADDRINUSE
            // With port 0 the choice would wait for a connect() that never comes.
            return isReplaced && vk_bind($0, vk_endpoint(peer.address, 0)) == 0
        }
        return (socket, isReplaced)
    }

    /// A socket with a version's port on this host's address, or any other port, for one peer.
    static func departure(
        _ key: DatagramSession.Key, from address: IPAddress
    ) throws(SystemError) -> (socket: DatagramSocket, isReplaced: Bool) {
        var isReplaced = false
        let role = Role.departure(key)
        let socket = try DatagramSocket(
            address.family, role, reusable: false, sendsFragments: false
        ).ready("leave by a port") {
            if vk_bind($0, vk_endpoint(address, key.versionPort)) != 0 {
                isReplaced = errno == EADDRINUSE
                guard isReplaced, vk_bind($0, vk_endpoint(address, 0)) == 0 else { return false }
            }
            return vk_connect($0, vk_endpoint(key.peer, key.peerPort)) == 0
        }
        return (socket, isReplaced)
    }

    /// Says whether what does not fit the path is to be sent in fragments.
    func setFragments(_ isAllowed: Bool) {
        guard isAllowed != sendsFragments else { return }
        sendsFragments = isAllowed
        discoverPath()
    }

    private func discoverPath() {
        _ = vk_set_fragments(descriptor, family.system, sendsFragments)
    }

    private func ready(_ operation: String, _ bind: (Int32) -> Bool) throws(SystemError) -> DatagramSocket {
        guard vk_prepare_datagram_socket(descriptor, family.system) == 0, bind(descriptor) else {
            throw SystemError(operation)
        }
        discoverPath()
        makeRoom()
        return self
    }

    private static func make(_ family: IPAddress.Family, reusable: Bool = true) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(family, .datagrams, blocks: false)
        // Another conversation, or a service of the host on every address, may have the same port.
        if reusable { _ = vk_set_socket_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) }
        return descriptor
    }
}

/// A registered port, for one kind of address.
struct RegisteredPort: Hashable {
    let number: UInt16
    let family: IPAddress.Family
}

/// A socket for packets that are made here, header and all.
final class PacketSocket {
    let descriptor: Int32

    init(_ family: IPAddress.Family) throws(SystemError) {
        let kind = Int32(SOCK_RAW.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(family.system, kind, Int32(IPPROTO_RAW))
        guard descriptor >= 0 else { throw SystemError("raw socket") }
    }

    deinit { close(descriptor) }
}
