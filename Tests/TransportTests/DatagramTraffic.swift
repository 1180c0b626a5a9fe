import CLinux
import Glibc
import Synchronization
import Testing
import VersionKitModel

/// One direction of a conversation: its datagrams are numbered.
struct DatagramStream: Sendable {
    let from: DatagramEnd
    let target: Endpoint

    /// Both directions between a client and a server that it reaches at an address.
    static func pair(_ client: DatagramEnd, _ server: DatagramEnd, at address: IPAddress) throws -> [DatagramStream] {
        for end in [client, server] { try end.makeRoom() }
        try client.send("hello", to: address)
        return try [
            DatagramStream(from: client, target: Endpoint(address: address, port: DatagramHost.port)),
            DatagramStream(from: server, target: server.receive().from),
        ]
    }
}

/// Datagrams by many streams at one time, 20 000 in a second, in batches by a timer.
final class DatagramTraffic: Sendable {
    private static let perSecond = 20_000
    private static let batch = 4
    /// More than are on their way in 150 ms are held back: then it is the machine that is busy, not the relay.
    private static let underWayMax = 3000

    private let streams: [DatagramStream]
    private let isStopped = Atomic(false)
    private let progress: AsyncStream<Void>
    private let more: AsyncStream<Void>.Continuation

    init(_ streams: [DatagramStream]) {
        self.streams = streams
        (progress, more) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns after some more batches of every stream.
    func sendMore() async { for await _ in progress { return } }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// How many each stream has sent, and what arrived of it, once everything did or nothing comes any more. Blocks.
    func run() -> (sent: [UInt64], received: [[UInt64]]) {
        var sent = [UInt64](repeating: 0, count: streams.count)
        var received = [[UInt64]](repeating: [], count: streams.count)
        let timer = timerfd_create(CLOCK_MONOTONIC, 0)
        defer { close(timer) }
        let interval = timespec(tv_sec: 0, tv_nsec: 1_000_000_000 / Self.perSecond * Self.batch * streams.count)
        var setting = itimerspec(it_interval: interval, it_value: interval)
        timerfd_settime(timer, 0, &setting, nil)
        var (ticks, quietTicks): (UInt64, UInt64) = (0, 0)
        while true {
            var expired: UInt64 = 0
            read(timer, &expired, 8)
            let underWay = Int(sent.reduce(0, +)) - received.reduce(0) { $0 + $1.count }
            let isEnding = isStopped.load(ordering: .relaxed)
            if isEnding, underWay == 0 || quietTicks > 1000 { return (sent, received) }
            for _ in 0..<(isEnding || underWay > Self.underWayMax ? 0 : min(expired, 8)) {
                for (index, stream) in streams.enumerated() {
                    let numbers = (0..<UInt64(Self.batch)).map { sent[index] + $0 }
                    try? stream.from.send(numbers.map { Self.datagram(UInt64(index), $0) }, to: stream.target)
                    sent[index] += UInt64(Self.batch)
                }
                ticks += 1
                if ticks % 16 == 0 { more.yield() }
            }
            quietTicks += 1
            for stream in streams {
                while let (index, number) = stream.from.takeNumbers() {
                    received[Int(index)].append(number)
                    quietTicks = 0
                }
            }
        }
    }

    private static func datagram(_ stream: UInt64, _ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: (stream, number)) { Array($0) } + [UInt8](repeating: 7, count: 496)
    }
}
