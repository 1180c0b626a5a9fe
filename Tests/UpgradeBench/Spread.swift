import BenchDriver
import ExampleFleet
import Foundation
import Glibc
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitTestbed

/// Lets a release spread from one host to all, by BitTorrent or with everybody fetching it from the first by HTTP, and tells
/// how long that took.
struct Spread {
    private static let port: UInt16 = 15_002

    private let nodes: Int
    private let bytes: Int
    private let megabits: Int
    private let isWeb: Bool
    private let program: String
    private let directory: String

    init(_ settings: Settings) throws {
        nodes = try settings.number("nodes")
        bytes = try settings.number("bytes")
        megabits = try settings.number("megabits")
        isWeb = try settings.text("way") == "http"
        program = try Programs.directory() + "/upgrade-bench"
        directory = "/run/upgrade-bench"
    }

    func run() async throws {
        let (torrent, layer) = try makeRelease()
        var plan = TestbedPlan()
        plan.segment("lan")
        for node in 0..<nodes {
            plan.host("n\(node)", address: hostAddress(node), on: "lan")
        }
        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        let spentBefore = ProcessorTime.ofChildren()
        for node in 0..<nodes { try testbed.limit("n\(node)", to: .megabits(megabits)) }
        let introductions = isWeb ? Array(repeating: [endpoint(0)], count: nodes) : introductions()
        for node in 0..<nodes {
            guard let host = testbed["n\(node)"] else { continue }
            let place = "\(directory)/\(node)"
            try FileManager.default.createDirectory(atPath: place + "/layers", withIntermediateDirectories: true)
            _ = try host.spawn(
                program,
                [
                    isWeb ? "web" : "node", "address=\(hostAddress(node))", "port=\(Self.port)", "torrent=\(torrent)",
                    "directory=\(place)",
                    "file=\(place)/layers/\(layer.digest.hex)", "seed=\(node == 0 ? "yes" : "no")",
                    "peers=\(introductions[node].map(\.description).joined(separator: ","))", "go=\(directory)/go",
                    "stop=\(directory)/stop",
                ], output: .file("\(place).log"))
        }
        try await wait(for: "hosts", in: 0..<nodes) { $0.contains("ready") }
        let began = milliseconds()
        let busyBefore = try ProcessorTime.ofMachine()
        try Data().write(to: URL(filePath: "\(directory)/go"))
        try await wait(for: "copies", in: 1..<nodes) { $0.contains("done") }
        let busy = try ProcessorTime.ofMachine().share(since: busyBefore)
        try Data().write(to: URL(filePath: "\(directory)/stop"))
        try await wait(for: "last words", in: 0..<nodes) { $0.contains("sent") }
        try report(began, layer)
        testbed.stop()
        tell("processor time of all hosts", ProcessorTime.ofChildren() - spentBefore, "s")
        tell("processors busy with anything", busy * 100, "%")
    }

    private func makeRelease() throws -> (torrent: String, layer: ReleaseManifest.Layer) {
        let layers = "\(directory)/0/layers"
        try FileManager.default.createDirectory(atPath: layers, withIntermediateDirectories: true)
        let content = Payload.noise(bytes)
        let layer = ReleaseManifest.Layer(digest: ContentHasher.digest(of: [UInt8](content)), size: UInt64(bytes))
        try content.write(to: URL(filePath: "\(layers)/\(layer.digest.hex)"))
        let torrent = try ReleaseTorrent([layer]).make { "\(layers)/\($0.digest.hex)" }
        try Data(torrent).write(to: URL(filePath: "\(directory)/release.torrent"))
        return ("\(directory)/release.torrent", layer)
    }

    private func endpoint(_ node: Int) -> Endpoint {
        Endpoint(address: IPAddress(hostAddress(node)) ?? IPAddress.Family.v4.any, port: Self.port)
    }

    /// What the first host's versiond would say, if the others asked in this order.
    private func introductions() -> [[Endpoint]] {
        var introducer = Introducer()
        var random = SystemRandomNumberGenerator()
        guard let application = ApplicationID(rawValue: "bench") else { return [] }
        return (0..<nodes).map { node in
            node == 0
                ? []
                : introducer.answer(
                    endpoint(node), about: .init(application, 2), isStuck: false, own: endpoint(0), at: .zero,
                    using: &random)
        }
    }

    private func wait(for what: String, in nodes: Range<Int>, _ isSo: (String) -> Bool) async throws {
        let deadline = ContinuousClock.now + Patience.limit
        while let late = nodes.first(where: { !isSo(log($0)) }) {
            guard ContinuousClock.now < deadline else { throw FleetError("no \(what): host \(late) says \(log(late))") }
            try await Task.sleep(for: Patience.interval)
        }
    }

    private func log(_ node: Int) -> String {
        (try? String(contentsOfFile: "\(directory)/\(node).log", encoding: .utf8)) ?? ""
    }

    private func report(_ began: Int64, _ layer: ReleaseManifest.Layer) throws {
        var times: [Double] = []
        for node in 1..<nodes {
            let words = log(node).split(whereSeparator: \.isWhitespace)
            guard let index = words.firstIndex(of: "done"), let time = Int64(words[index + 1]),
                words[index + 2] == layer.digest.hex
            else { throw FleetError("host \(node) has something else: \(log(node))") }
            times.append(Double(time - began) / 1000)
        }
        let sent = log(0).split(whereSeparator: \.isWhitespace).last.flatMap { Double($0) } ?? 0
        // Each has to receive it once, and the hosts together to send it so often as there are others.
        let seconds = Double(bytes) * 8 / (Double(megabits) * 1_000_000)
        let least = max(seconds, seconds * Double(nodes - 1) / Double(nodes))
        times.sort()
        tell("first", times[0], "s")
        tell("median", times[times.count / 2], "s")
        tell("last", times[times.count - 1], "s")
        tell("least", least, "s")
        tell("to least", times[times.count - 1] / least, "x")
        if !isWeb { tell("copies from the first", sent / Double(bytes), "copies") }
    }
}
