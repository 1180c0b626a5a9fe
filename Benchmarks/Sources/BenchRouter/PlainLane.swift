import BenchFigures
import BenchPrograms

extension Lane {
    /// Nothing but routing between the environments: what all else is divided by.
    static func plain(_ variant: RouterVariant, _ bench: RouterBench) throws -> Lane {
        let pair = try HostPair(variant == .plain ? "plain" : "control", on: bench)
        try pair.addEnvironments(bench)
        try pair.addRoutes(bench)
        try startServer(in: pair.inB, bench)
        let lane = Lane(variant: variant, client: pair.inA, server: HostPair.environmentB, relays: [])
        try lane.waitUntilReady(seconds: 10, on: bench)
        return lane
    }

    /// The server of a lane whose environments are not versiond's.
    static func startServer(in namespace: Namespace, _ bench: RouterBench) throws {
        let command = LoadCommand(.serve(tcp: [port], udp: [port]), cpu: serverCPU)
        _ = try bench.start("bench-load serve", in: namespace, bench.tools.load, command.arguments)
    }
}
