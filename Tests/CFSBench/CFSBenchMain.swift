import BenchDriver

/// Measures rings of CFS for scripts/bench-cfs, which runs it inside scripts/sandbox.
///
///     cfs-bench native generation=1 RING                                  nodes by themselves
///     cfs-bench versionkit both=yes|no RING                               the same behind VersionKit, in turns with it
///     cfs-bench loopback nodes=10 concurrency=16 blocks=4096 repeats=5    nodes and client on one host
///
/// RING is `hosts=16 megabits=100 microseconds=200 pace=1 blocks=512 repeats=5`: each host's cable has this rate and this
/// delay, of which a round trip has four; 0: none.
///
/// It prints rows `measure<tab>value<tab>unit`; those of `versionkit` begin with which generations run, `one version: ` or `both
/// generations: `, or with `native beside ` and this.
@main
enum CFSBenchMain {
    private static let commands: [String: @Sendable (Settings) async throws -> Void] = [
        "native": { try await NativeRing.measure($0) }, "versionkit": { try await ManagedRing($0).run() },
        "loopback": { try await LoopbackRing($0).run() },
    ]

    static func main() async { await Driver.main("cfs-bench", commands) }
}
