import CLinux

/// Memory for the datagrams that come by one call: as long as any can be, for as many as one call takes.
final class IncomingDatagrams {
    private static let bytesMax = 64 << 10

    /// The most that come by one call.
    static let countMax = Int(vk_datagrams_max)

    let datagrams: UnsafeMutablePointer<vk_datagram>
    private let memory: UnsafeMutableRawPointer

    init() {
        memory = .allocate(byteCount: Self.countMax * Self.bytesMax, alignment: 64)
        datagrams = .allocate(capacity: Self.countMax)
        for index in 0..<Self.countMax {
            (datagrams + index).initialize(
                to: vk_datagram(
                    bytes: memory + index * Self.bytesMax, capacity: UInt32(Self.bytesMax), length: 0,
                    remote: vk_endpoint(),
                    local: vk_address(), overflow: 0, segment_size: 0, was_fragmented: false))
        }
    }

    deinit {
        datagrams.deallocate()
        memory.deallocate()
    }

    /// How many came; none also when the socket has an error to tell.
    func receive(from socket: DatagramSocket) -> Int {
        Int(max(vk_receive_datagrams(socket.descriptor, datagrams, UInt32(Self.countMax)), 0))
    }
}

/// What is to be sent by one call: pointers into what was received, and to the headers of conversations. Both stay as they
/// are until it was sent.
final class OutgoingDatagrams {
    private static let countMax = Int(vk_outgoing_datagrams_max)

    let datagrams: UnsafeMutablePointer<vk_outgoing_datagram>
    /// For each the conversation that it belongs to, and whether it is for the version here.
    private(set) var sessions: [DatagramSession?]
    private(set) var areDeliveries: [Bool]
    private(set) var count = 0
    /// By which socket, and whether they may be fragmented: the same for all.
    private(set) var socket: DatagramSocket?
    private(set) var mayFragment = false

    init() {
        datagrams = .allocate(capacity: Self.countMax)
        sessions = Array(repeating: nil, count: Self.countMax)
        areDeliveries = Array(repeating: false, count: Self.countMax)
    }

    deinit { datagrams.deallocate() }

    /// Whether one more, sent in this way, can join those that wait.
    func canAppend(by other: DatagramSocket, mayFragment: Bool) -> Bool {
        count == 0 || (socket === other && self.mayFragment == mayFragment && count < Self.countMax)
    }

    func append(
        _ datagram: vk_outgoing_datagram, by socket: DatagramSocket, mayFragment: Bool, of session: DatagramSession,
        isDelivery: Bool
    ) {
        if count == 0 {
            self.socket = socket
            self.mayFragment = mayFragment
        }
        (datagrams + count).initialize(to: datagram)
        sessions[count] = session
        areDeliveries[count] = isDelivery
        count += 1
    }

    func removeAll() {
        for index in 0..<count { sessions[index] = nil }
        count = 0
        socket = nil
    }
}
