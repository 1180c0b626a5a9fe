import BenchDriver
import Glibc

/// Measures what an upgrade of a fleet takes, for scripts/bench-upgrade, which runs it inside scripts/sandbox.
///
///     upgrade-bench spread nodes=12 bytes=48000000 megabits=100 way=swarm|http     the layers alone
///     upgrade-bench adverts nodes=12 key=yes|no                                    who knows when, by real versiond
///     upgrade-bench difference bytes=48000000                                      bytes of a release that differs by little
///     upgrade-bench stages nodes=12 bytes=48000000 megabits=100 isolation=oci      the stages on each host
///     upgrade-bench memory nodes=4 bytes=48000000                                  of versiond
///     upgrade-bench node|web ...                                                   one host of the first
///
/// It prints rows `measure<tab>value<tab>unit`.
@main
enum UpgradeBenchMain {
    private static let commands: [String: @Sendable (Settings) async throws -> Void] = [
        "spread": { try await Spread($0).run() }, "adverts": { try await Adverts($0).run() },
        "difference": { try await Difference($0).run() }, "stages": { try await Stages($0).run() },
        "memory": { try await Memory($0).run() }, "node": { try await BenchNode($0).run() },
        "web": { try await WebNode($0).run() },
    ]

    static func main() async { await Driver.main("upgrade-bench", commands) }
}

/// Milliseconds since 1970, the same for all processes.
func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
