import Foundation
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitSockets

@testable import VersionKitNode

/// Goal: of a new release only what is new travels, and no peer can hold a node up. Method: a fetcher and a server as in
/// versiond, with a loopback connection between them that is counted, or that lies.
@Suite("Fetching releases")
struct ReleaseTransferTests {
    private let bench: ReleaseBench

    init() throws { bench = try ReleaseBench() }

    /// A file of so many bytes, of which some were changed.
    private func bytes(_ count: Int, changed: [Range<Int>] = []) -> [UInt8] {
        var state: UInt64 = 11
        var bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            buffer.withMemoryRebound(to: UInt64.self) { words in
                for index in words.indices {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    words[index] = state ^ (state >> 29)
                }
            }
            initialized = count / 8 * 8
        }
        for range in changed { for index in range { bytes[index] ^= 0x55 } }
        return bytes
    }

    @Test("of a release that differs by 2 % a node that has the last one fetches at most 10 %")
    func difference() async throws {
        let size = 48_000_000
        let publisher = try bench.store("publisher")
        let node = try bench.store("node")
        // A megabyte in sixteen places.
        let changed = (0..<16).map { place in place * 3_000_000..<(place * 3_000_000 + 62_500) }
        try await bench.publish(1, [bytes(size)], in: publisher)
        try await bench.publish(2, [bytes(size, changed: changed)], in: publisher)
        let router = try CountingRouter(store: publisher, application: bench.application)
        var fetched: [UInt64] = []
        for version in [1, 2] as [Version] {
            let before = router.sent
            let fetcher = ReleaseFetcher(store: node, trust: bench.trust)
            let manifest = try await fetcher.fetch(version, from: router.endpoint)
            #expect(try node.missingLayers(of: manifest).isEmpty)
            _ = try await node.unpack(manifest, runner: ProcessCommandRunner())
            fetched.append(router.sent - before)
        }
        print("release transfer: \(fetched[0]) bytes for the first release, \(fetched[1]) for the second")
        #expect(fetched[0] > UInt64(size))
        #expect(fetched[1] < fetched[0] / 10)
        #expect(fetched[1] > 1_000_000)
        // Nothing is asked for twice.
        let before = router.sent
        _ = try await ReleaseFetcher(store: node, trust: bench.trust).fetch(2, from: router.endpoint)
        #expect(router.sent - before < 10_000)
    }

    @Test("layers that are not compressed are fetched as ever", arguments: [false, true])
    func plain(isCompressing: Bool) async throws {
        let publisher = try bench.store("publisher")
        let node = try bench.store("node")
        try await bench.publish(1, [bytes(200_000), bytes(8)], in: publisher, isCompressing: isCompressing)
        let router = try CountingRouter(store: publisher, application: bench.application)
        let fetcher = ReleaseFetcher(store: node, trust: bench.trust)
        let manifest = try await fetcher.fetch(1, from: router.endpoint)
        #expect(manifest.layers.map(\.isCompressed) == [isCompressing, isCompressing])
        #expect(try node.missingLayers(of: manifest).isEmpty)
        let directories = try await node.unpack(manifest, runner: ProcessCommandRunner())
        #expect(try Data(contentsOf: URL(fileURLWithPath: directories[0] + "/file")).count == 200_000)
    }

    @Test("a bit that changes on the way is noticed, and nothing of the layer stays", arguments: [false, true])
    func corrupt(isCompressing: Bool) async throws {
        let publisher = try bench.store("publisher")
        let node = try bench.store("node")
        try await bench.publish(1, [bytes(400_000)], in: publisher, isCompressing: isCompressing)
        let router = try CountingRouter(store: publisher, application: bench.application, fault: .init(flip: 300_000))
        let error = await #expect(throws: ReleaseError.self) {
            try await ReleaseFetcher(store: node, trust: bench.trust).fetch(1, from: router.endpoint)
        }
        #expect(error?.code == .wrongDigest && error?.side == .peer)
        #expect(try node.missingLayers(of: publisher.release(bench.application, 1).manifest).count == 1)
        #expect(try bench.names("node/incoming").isEmpty)
    }

    @Test("a peer that ends in the middle, or gives a few bytes now and then, is given up")
    func slow() async throws {
        let publisher = try bench.store("publisher")
        let node = try bench.store("node")
        try await bench.publish(1, [bytes(400_000)], in: publisher)
        let cut = try CountingRouter(store: publisher, application: bench.application, fault: .init(cut: 200_000))
        await #expect(throws: NodeError.self) {
            try await ReleaseFetcher(store: node, trust: bench.trust).fetch(1, from: cut.endpoint)
        }
        let drip = try CountingRouter(store: publisher, application: bench.application, fault: .init(pieceBytes: 16))
        var fetcher = ReleaseFetcher(store: node, trust: bench.trust)
        fetcher.pace = TransferPace(patience: .zero, bytesPerSecondMin: 1 << 40)
        let error = await #expect(throws: NodeError.self) { try await fetcher.fetch(1, from: drip.endpoint) }
        #expect("\(String(describing: error))".contains("too slow"))
        #expect(try bench.names("node/incoming").isEmpty)
    }

    @Test("a router answers requests for what it does not have, or that are absurd, with an error")
    func absurd() async throws {
        let publisher = try bench.store("publisher")
        let made = try await bench.publish(1, [bytes(100_000)], in: publisher)
        let router = try CountingRouter(store: publisher, application: bench.application)
        let layer = made.layers[0]
        let end = layer.size
        func answer(_ request: String) throws -> String? {
            var connection = try BlockingConnection(to: router.endpoint)
            try connection.send(router.header + Array("\(request)\n".utf8))
            return try connection.line()
        }
        for range in ["0 \(end + 1)", "\(end) 1", "\(end + 1) 0", "1 \(UInt64.max)", "-1 2", "0 x", "0 1 2"] {
            #expect(try answer("layer \(layer.digest) \(range)")?.hasPrefix("error ") == true, "\(range)")
        }
        #expect(try answer("layer \(layer.digest) \(end) 0") == "ok 0")
        #expect(try answer("layer \(layer.digest) \(end - 1) 1") == "ok 1")
        #expect(try answer("chunks \(layer.digest)")?.hasPrefix("error ") == true)
        #expect(try answer("chunks ../../etc/passwd")?.hasPrefix("error ") == true)
    }
}
