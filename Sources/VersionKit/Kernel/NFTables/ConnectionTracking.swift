import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// The kernel's table of tracked connections, over netlink: which there are, and the end of some.
///
/// Blocks for as long as the kernel takes to list its table, which is in memory. Thread-safe: every call has a socket of
/// its own.
struct ConnectionTracking: Sendable {
    let network: HostNetwork
    /// The kind of IP of all that is asked for.
    let family: IPAddress.Family

    /// Bytes of one answer of the kernel; it fits its messages into what it is given.
    private static let answerMax = 64 << 10
    private static let netfilter: Int32 = 12
    private static let get: UInt16 = 1 << 8 | 1
    private static let delete: UInt16 = 1 << 8 | 2
    private static let request: UInt16 = 1
    private static let acknowledge: UInt16 = 4
    private static let dump: UInt16 = 0x300

    /// Ends what matches one of the patterns; what is not there is no error.
    func end(_ patterns: [FlowPattern]) throws(KernelPathError) {
        guard !patterns.isEmpty else { return }
        let socket = try open()
        defer { close(socket) }
        for pattern in patterns {
            guard let (source, destination) = pattern.exact,
                let flow = try flow(pattern.transport, source, destination, socket), pattern.matches(flow)
            else { continue }
            try delete(flow.transport, flow.source, flow.destination, socket)
        }
        let searched = patterns.filter { $0.exact == nil }
        guard !searched.isEmpty else { return }
        for flow in try flows(socket) where searched.contains(where: { $0.matches(flow) }) {
            try delete(flow.transport, flow.source, flow.destination, socket)
        }
    }

    /// All tracked TCP connections and UDP flows of this kind of IP.
    func flows() throws(KernelPathError) -> [TrackedFlow] {
        let socket = try open()
        defer { close(socket) }
        return try flows(socket)
    }

    private func open() throws(KernelPathError) -> Int32 {
        let socket = vk_socket_in(network.namespace ?? -1, AF_NETLINK, Int32(SOCK_RAW.rawValue), Self.netfilter)
        guard socket >= 0 else { throw KernelPathError("\(SystemError("open the connection tracking"))") }
        return socket
    }

    private func flows(_ socket: Int32) throws(KernelPathError) -> [TrackedFlow] {
        try send(Self.get, Self.request | Self.dump, [], socket)
        var flows: [TrackedFlow] = []
        while true {
            for message in try receive(socket) {
                switch message.type {
                case NetlinkMessage.done: return flows
                case NetlinkMessage.error: throw Self.refused(message, "list tracked connections")
                default: if let flow = TrackedFlow(message) { flows.append(flow) }
                }
            }
        }
    }

    /// The flow that began like this, if there is one.
    private func flow(
        _ transport: TransportProtocol, _ source: Endpoint, _ destination: Endpoint, _ socket: Int32
    ) throws(KernelPathError) -> TrackedFlow? {
        let tuple = TrackedFlow.tuple(transport, source, destination)
        try send(Self.get, Self.request | Self.acknowledge, tuple, socket)
        // The flow, and then the acknowledgement; or only the error that there is none.
        var found: TrackedFlow?
        while true {
            for message in try receive(socket) {
                guard message.type == NetlinkMessage.error else {
                    found = TrackedFlow(message)
                    continue
                }
                guard message.errorCode == 0 || message.errorCode == ENOENT else {
                    throw Self.refused(message, "look for a tracked connection")
                }
                return found
            }
        }
    }

    private func delete(
        _ transport: TransportProtocol, _ source: Endpoint, _ destination: Endpoint, _ socket: Int32
    ) throws(KernelPathError) {
        let tuple = TrackedFlow.tuple(transport, source, destination)
        try send(Self.delete, Self.request | Self.acknowledge, tuple, socket)
        for message in try receive(socket) where message.type == NetlinkMessage.error {
            if message.errorCode != 0, message.errorCode != ENOENT {
                throw Self.refused(message, "end a tracked connection")
            }
        }
    }

    private func send(
        _ type: UInt16, _ flags: UInt16, _ attributes: [UInt8], _ socket: Int32
    ) throws(KernelPathError) {
        // nfgenmsg: the kind of IP, version 0, no resource.
        let preface = [UInt8(family.system), 0, 0, 0]
        let message = NetlinkMessage.encode(type: type, flags: flags, body: preface + attributes)
        guard Glibc.send(socket, message, message.count, 0) == message.count else {
            throw KernelPathError("\(SystemError("ask the connection tracking"))")
        }
    }

    private func receive(_ socket: Int32) throws(KernelPathError) -> [NetlinkMessage] {
        var buffer = [UInt8](repeating: 0, count: Self.answerMax)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw KernelPathError("\(SystemError("hear from the connection tracking"))") }
            return NetlinkMessage.decode(buffer[..<count])
        }
    }

    private static func refused(_ message: NetlinkMessage, _ operation: String) -> KernelPathError {
        KernelPathError("\(SystemError(operation, code: message.errorCode))")
    }
}
