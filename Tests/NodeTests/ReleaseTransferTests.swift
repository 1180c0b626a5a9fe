import Foundation
import Synchronization
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

    /// A limit whose clock goes only while somebody is held up; the clock.
    private func limit(_ bytesPerSecond: Int) -> (TransferLimit, Clock) {
        let clock = Clock()
        let limit = TransferLimit(bytesPerSecond: bytesPerSecond) {
            clock.time.withLock { $0 }
        } pause: { pause in
            clock.time.withLock { $0 += pause }
        }
        return (limit, clock)
    }

    private final class Clock: Sendable {
        let time = Mutex(Duration.seconds(1000))
        var seconds: Double { time.withLock { $0 - .seconds(1000) } / .seconds(1) }
    }

    @Test("direct transfers keep to what a node may send, all together, and take no longer than that says")
    func uploadLimit() async throws {
        let publisher = try bench.store("publisher")
        try await bench.publish(1, [bytes(400_000)], in: publisher)
        let (upload, clock) = limit(1000)
        let router = try CountingRouter(
            store: publisher, application: bench.application, limits: TransferLimits(upload: upload))
        for name in ["one", "two"] {
            _ = try await ReleaseFetcher(store: try bench.store(name), trust: bench.trust)
                .fetch(1, from: router.endpoint)
        }
        let sent = Double(router.sent)
        #expect(sent > 800_000)
        // The last bytes may have gone and not be paid for; a tenth of a second's worth is free.
        #expect((sent - 1000...sent).contains(clock.seconds * 1000))
    }

    @Test("direct transfers keep to what a node may receive, in pieces, and a slow limit is not a slow peer")
    func downloadLimit() async throws {
        let publisher = try bench.store("publisher")
        try await bench.publish(1, [bytes(400_000), bytes(8)], in: publisher)
        let router = try CountingRouter(store: publisher, application: bench.application)
        let (download, clock) = limit(1000)
        // A hundred times as much as the limit gives.
        let pace = TransferPace(patience: .seconds(1), bytesPerSecondMin: 100_000)
        let node = try bench.store("node")
        let fetcher = ReleaseFetcher(
            store: node, trust: bench.trust, pace: pace, limits: TransferLimits(download: download))
        let manifest = try await fetcher.fetch(1, from: router.endpoint)
        #expect(try node.missingLayers(of: manifest).isEmpty)
        let layers = Double(manifest.layers.reduce(0) { $0 + $1.size })
        #expect(layers > 400_000)
        #expect(clock.seconds * 1000 > layers - 1000)
        #expect(clock.seconds * 1000 <= Double(router.sent))
    }

    @Test("a limit's pieces are a 32nd of a second's bytes, at least one and never more than are sent without a limit")
    func pieces() {
        #expect(TransferLimit(bytesPerSecond: 1).pieceBytes == 1)
        #expect(TransferLimit(bytesPerSecond: 64_000).pieceBytes == 2000)
        #expect(TransferLimit(bytesPerSecond: 1 << 30).pieceBytes == 256 << 10)
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
