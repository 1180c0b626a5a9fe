import BenchFigures
import CBench
import Glibc

/// So many datagrams under way. One that has not come back after a tenth of a second is lost.
enum Datagrams {
    private static let patienceMilliseconds: Int32 = 100
    private static let warmUp = 100

    static func run(_ server: Target, bytes: Int, window: Int, seconds: Double) throws(LoadError) -> LoadResult {
        let descriptor = try server.connect(SOCK_DGRAM)
        defer { close(descriptor) }
        _ = bench_set_receive_timeout(descriptor, patienceMilliseconds)
        let buffer = Buffer(max(bytes, 2048))
        for _ in 0..<warmUp {
            send(descriptor, buffer.bytes, bytes, 0)
            recv(descriptor, buffer.bytes, buffer.count, 0)
        }
        return window == 1
            ? single(descriptor, buffer, bytes: bytes, seconds: seconds)
            : many(descriptor, buffer, bytes: bytes, window: window, seconds: seconds)
    }

    private static func single(
        _ descriptor: Int32, _ buffer: borrowing Buffer, bytes: Int, seconds: Double
    ) -> LoadResult {
        var samples = Samples()
        var lost = 0
        let start = bench_now()
        let end = start + Clock.nanoseconds(seconds)
        var before = start
        while before < end {
            send(descriptor, buffer.bytes, bytes, 0)
            let isBack = recv(descriptor, buffer.bytes, buffer.count, 0) > 0
            let now = bench_now()
            if isBack { samples.add(now - before) } else { lost += 1 }
            before = now
        }
        var result = samples.result(seconds: Double(before - start) / 1e9)
        result["lost"] = Double(lost)
        return result
    }

    private static func many(
        _ descriptor: Int32, _ buffer: borrowing Buffer, bytes: Int, window: Int, seconds: Double
    ) -> LoadResult {
        var underWay = 0
        var received = 0
        var lost = 0
        let start = bench_now()
        let end = start + Clock.nanoseconds(seconds)
        while bench_now() < end {
            while underWay < window {
                send(descriptor, buffer.bytes, bytes, 0)
                underWay += 1
            }
            if recv(descriptor, buffer.bytes, buffer.count, 0) > 0 {
                received += 1
                underWay -= 1
            } else {
                lost += underWay
                underWay = 0
            }
        }
        let passed = Clock.seconds(since: start)
        var result = LoadResult()
        result["rate"] = Double(received) / passed
        result["count"] = Double(received)
        result["lost"] = Double(lost)
        result["seconds"] = passed
        return result
    }
}
