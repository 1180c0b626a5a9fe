import BenchFigures
import CBench
import Glibc

/// Numbered datagrams at a steady rate: which come back, how often, in which order, and how late.
enum Sequence {
    /// How long to wait for the last.
    private static let tailSeconds = 0.5

    static func run(_ server: Target, bytes: Int, perSecond: Int, seconds: Double) throws(LoadError) -> LoadResult {
        let descriptor = try server.connect(SOCK_DGRAM)
        defer { close(descriptor) }
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw .system("fcntl") }
        let total = Int(Double(perSecond) * seconds)
        let buffer = Buffer(max(bytes, 2048))
        let answer = Buffer(max(bytes, 2048))
        var tally = SequenceTally(count: total)
        var samples = Samples()
        var sent = 0
        var refused = 0
        var latest: UInt64 = 0
        let start = bench_now()
        let end = start + Clock.nanoseconds(seconds + tailSeconds)
        var now = start
        while now < end, sent < total || tally.received < total {
            let due = min(total, Int(Double(now - start) * Double(perSecond) / 1e9))
            while sent < due {
                buffer.bytes.storeBytes(of: UInt32(sent), as: UInt32.self)
                buffer.bytes.storeBytes(of: bench_now(), toByteOffset: 4, as: UInt64.self)
                // One for which this host has no room was not lost on the way.
                if send(descriptor, buffer.bytes, bytes, 0) != bytes { refused += 1 }
                sent += 1
            }
            while recv(descriptor, answer.bytes, answer.count, 0) >= 12 {
                tally.add(Int(answer.bytes.load(as: UInt32.self)))
                let age = bench_now() - answer.bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
                samples.add(age)
                latest = max(latest, age)
            }
            now = bench_now()
        }
        var result = samples.result(seconds: Double(now - start) / 1e9)
        result["sent"] = Double(sent)
        result["refused"] = Double(refused)
        result["lost"] = Double(tally.lost(of: sent) - refused)
        result["duplicates"] = Double(tally.duplicates)
        result["reordered"] = Double(tally.reordered)
        result["slowest"] = Double(latest) / 1000
        return result
    }
}
