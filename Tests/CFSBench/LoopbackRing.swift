import BenchDriver
import CFSFleet
import ExampleFleet
import VersionKitTestbed

/// Nodes and their client on one host, by loopback: what the nodes themselves can do.
struct LoopbackRing {
    /// The first node's UDP port; the host has no other servers.
    private static let firstPort = 4000
    private static let pace = 10

    private let nodes: Int
    private let concurrency: Int
    private let blocks: Int
    private let repeats: Int

    init(_ settings: Settings) throws {
        nodes = try settings.number("nodes")
        concurrency = try settings.number("concurrency")
        blocks = try settings.number("blocks")
        repeats = try settings.number("repeats")
        guard (1...100).contains(nodes), blocks > 0, repeats > 0 else { throw FleetError("1 to 100 nodes, and blocks") }
    }

    func run() async throws {
        let programs = try Programs.directory()
        let directory = "/run/cfs-bench"
        try makeDirectory(directory)
        var plan = TestbedPlan()
        plan.segment("one")
        plan.host("n1", address: "10.99.0.1", on: "one")
        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        let host = testbed.hosts[0]
        for node in 1...nodes {
            let data = "\(directory)/\(node)"
            try makeDirectory(data)
            _ = try host.spawn(
                "\(programs)/\(CFSFleet.program(1))",
                [
                    "--port", "\(Self.firstPort + node)", "--join", "127.0.0.1:\(Self.firstPort + 1)",
                    "--directory", data, "--control", "\(data)/\(CFSFleet.controlName)", "--pace", "\(Self.pace)",
                    "--no-gateway-port", "--socket", "\(data)/gateway.sock",
                ], output: .file("\(data)/log"))
        }
        let ring = try NodeProcesses(1, data: { "\(directory)/\($0)" }, count: nodes)
        try await Patience.wait(for: "ring") { await ring.missing(of: nodes) }
        let dbm = DBM(
            host: host, programs: programs, directory: directory, gateway: "\(directory)/\(nodes)/gateway.sock",
            blocks: blocks, concurrency: concurrency)
        _ = try await ring.questions()
        try await DBM.measure([("", dbm)], repeats: repeats)
        let asked = try await ring.questions()
        tell("questions between nodes", asked / Double(blocks * repeats), "per block")
    }
}
