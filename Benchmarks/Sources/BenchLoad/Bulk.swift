import BenchFigures
import CBench
import Glibc

/// One connection as fast as it goes, until the server has said how much arrived.
enum Bulk {
    private static let chunk = 128 << 10

    static func run(_ server: Target, seconds: Double) throws(LoadError) -> LoadResult {
        let descriptor = try server.connect(SOCK_STREAM)
        defer { close(descriptor) }
        _ = bench_set_receive_timeout(descriptor, 10_000)
        let buffer = Buffer(chunk, filledWith: UInt8(ascii: "S"))
        var sent = 0
        let start = bench_now()
        let end = start + Clock.nanoseconds(seconds)
        while bench_now() < end {
            let count = send(descriptor, buffer.bytes, chunk, 0)
            guard count > 0 else { throw .system("send") }
            sent += count
        }
        shutdown(descriptor, Int32(SHUT_WR))
        var arrived: UInt64 = 0
        guard recv(descriptor, &arrived, 8, Int32(MSG_WAITALL)) == 8 else {
            throw LoadError("the server did not say how much arrived")
        }
        let passed = Clock.seconds(since: start)
        guard arrived == sent else { throw LoadError("\(sent) bytes were sent, and \(arrived) arrived") }
        var result = LoadResult()
        result["gbps"] = Double(sent) * 8 / passed / 1e9
        result["bytes"] = Double(sent)
        result["seconds"] = passed
        return result
    }
}
