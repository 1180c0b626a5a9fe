import BenchFigures
import CBench
import Glibc

/// Connect, one small message there and back, close; one after the other.
enum Connects {
    static func run(_ server: Target, count: Int) throws(LoadError) -> LoadResult {
        let buffer = Buffer(64)
        var samples = Samples()
        let start = bench_now()
        for _ in 0..<count {
            let before = bench_now()
            let descriptor = try server.connect(SOCK_STREAM)
            defer { close(descriptor) }
            _ = bench_set_receive_timeout(descriptor, 5000)
            try Ping.exchange(descriptor, buffer)
            samples.add(bench_now() - before)
        }
        return samples.result(seconds: Clock.seconds(since: start))
    }
}
