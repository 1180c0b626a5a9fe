import CLinux
import Glibc
import VersionKitModel

/// The private link to a machine that is a process: a veth pair whose far end nobody has but a packet socket, from which the
/// machine reads frames and to which it writes them.
///
/// The far end is in a network namespace that has nothing else, and is there as long as the socket: the link goes with the
/// machine's process, however that ends. Making one needs no device and no rights but those over the node's own network.
extension EnvironmentLink {
    /// How many bytes of frames the machine may be late with; the kernel gives an ordinary user as many as it allows.
    private static let bufferBytes: Int32 = 4 << 20

    /// Makes the node's end.
    ///
    /// - Returns: the other end, the caller's to close.
    func openFrames() async throws(IsolationError) -> Int32 {
        try await remove()
        let namespace = vk_new_network_namespace()
        guard namespace >= 0 else { throw .system("make a network namespace for \(interface)") }
        defer { close(namespace) }
        try await execute("ip", ["-batch", "-"], input: farCommands(node: getpid()), networkNamespace: namespace)
        let frames = vk_packet_socket(namespace, "eth0", false)
        guard frames >= 0 else { throw .system("open the far end of \(interface)") }
        do throws(IsolationError) {
            // What the machine does not read at once is lost when this is full.
            if vk_set_socket_option(frames, SOL_SOCKET, SO_RCVBUFFORCE, Self.bufferBytes) != 0 {
                _ = vk_set_socket_option(frames, SOL_SOCKET, SO_RCVBUF, Self.bufferBytes)
            }
            // Nobody behind the socket would do what the node left undone.
            guard vk_complete_packets(interface) == 0 else { throw .system("have \(interface) complete its packets") }
            try await execute("ip", ["-batch", "-"], input: nodeCommands)
            if addresses[.v6] != nil {
                try await execute("tee", ["/proc/sys/net/ipv6/conf/\(interface)/accept_ra"], input: "0")
            }
        } catch {
            close(frames)
            throw error
        }
        return frames
    }

    /// Why no link can be made here, and what to do; `nil`: it can.
    static var obstacle: String? {
        let remedy = "run versiond as root, or as root of a user namespace with a network of its own"
        let namespace = vk_new_network_namespace()
        guard namespace >= 0 else { return "\(IsolationError.system("make a network namespace")); \(remedy)" }
        close(namespace)
        let socket = vk_socket_in(-1, AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        // Nothing is changed by this, and the kernel wants the right over the network for it.
        guard socket >= 0, vk_set_transparent(socket, AF_INET) == 0 else {
            return "\(IsolationError.system("use a right over the node's network")); \(remedy)"
        }
        return nil
    }

    /// For `ip` in the namespace of the far end. That end itself says nothing.
    func farCommands(node: pid_t) -> String {
        """
        link add eth0 type veth peer name \(interface) netns \(node)
        link set eth0 addrgenmode none
        link set eth0 up

        """
    }

    /// For `ip` on the node.
    var nodeCommands: String {
        """
        \(additions(of: gateways, to: interface, linkLocal: "fe80::1"))
        link set \(interface) up

        """
    }

    /// Where the agent of a machine listens.
    var machineAgent: AgentAddress { .tcp(Endpoint(address: addresses.primary, port: AgentAddress.port)) }
}
