import Foundation
import Testing
import VersionKitModel
@testable import VersionKitNode
import VersionKitReleases

/// What a node keeps of the documents that it goes by, and what a crash or a damaged disk leaves of that.
@Suite("TrustKeeper")
struct TrustKeeperTests {
    private static let now = UTCTime(seconds: 1_800_000_000)

    /// A directory with a pinned root, and its key.
    private final class Place {
        let path = FileManager.default.temporaryDirectory.appending(path: "trust-\(UUID().uuidString)").path
        let key = PublisherKey.generate()
        let application: ApplicationID

        init() throws {
            application = try #require(ApplicationID(rawValue: "irislog"))
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try root(1).write(to: path + "/pinned.json")
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func root(_ number: UInt64, _ application: ApplicationID? = nil) throws -> SignedDocument<TrustRoot> {
            var root = try SignedDocument(
                TrustRoot(
                    application: application ?? self.application, number: number, expires: now + 1000, threshold: 1,
                    keys: [key.publicKey]))
            try root.sign(with: key)
            return root
        }

        func channel(_ number: UInt64, withdrawn: Bool = false) throws -> SignedDocument<ReleaseChannel> {
            var channel = ReleaseChannel(application: application, number: number, expires: now + 100)
            try channel.offer(1, manifest: try #require(Digest(hex: String(repeating: "a", count: 64))))
            if withdrawn { try channel.withdraw(1, reason: "loses writes") }
            var document = try SignedDocument(channel)
            try document.sign(with: key)
            return document
        }

        /// The keeper of a versiond that starts now.
        func keeper() throws -> TrustKeeper {
            try TrustKeeper(
                TrustPolicy(application: application, keys: []), root: path + "/pinned.json", directory: path + "/trust"
            )
        }

        var kept: String { path + "/trust/irislog" }
    }

    private func begins(_ keeper: TrustKeeper, at clock: UTCTime) -> ReleaseError.Code? {
        do throws(ReleaseError) {
            try keeper.checkBeginning(of: 1, at: clock)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("what was accepted is there when versiond starts again")
    func durable() throws {
        let place = try Place()
        let first = try place.keeper()
        for number in 2...4 as ClosedRange<UInt64> { try first.accept(place.root(number)) }
        #expect(try first.accept(place.channel(7), at: Self.now))
        let second = try place.keeper()
        #expect(second.state == first.state)
        #expect(second.state?.numbers.root == 4)
        #expect(second.state?.numbers.channel == 7)
        #expect(begins(second, at: Self.now) == nil)
        #expect(second.problems == [])
        #expect(throws: ReleaseError.self) { try second.accept(place.channel(6), at: Self.now) }
        #expect(second.refused == ["older-document": 1])
    }

    @Test("what was seen to expire has expired after a crash, too, whatever the clock shows then")
    func clock() throws {
        let place = try Place()
        let first = try place.keeper()
        _ = try first.accept(place.channel(1), at: Self.now)
        #expect(begins(first, at: Self.now + 99) == nil)
        #expect(begins(first, at: Self.now + 100) == .expired)
        let second = try place.keeper()
        #expect(begins(second, at: Self.now) == .expired)
        #expect(begins(second, at: UTCTime(seconds: 0)) == .expired)
        _ = try second.accept(place.channel(2), at: Self.now)
        #expect(begins(try place.keeper(), at: Self.now) == nil)
    }

    @Test("a withdrawal that was kept before versiond was killed holds, although its channel was not kept any more")
    func killedWithin() throws {
        let place = try Place()
        let first = try place.keeper()
        _ = try first.accept(place.channel(1), at: Self.now)
        let channel = place.kept + "/channel.json"
        let older = try Data(contentsOf: URL(filePath: channel))
        _ = try first.accept(place.channel(2, withdrawn: true), at: Self.now)
        try older.write(to: URL(filePath: channel))
        let second = try place.keeper()
        #expect(second.state?.numbers.channel == 1)
        #expect(begins(second, at: Self.now) == .withdrawn)
        #expect(try second.accept(place.channel(2, withdrawn: true), at: Self.now))
    }

    @Test("a file that is damaged is left out and named; the rest counts")
    func damaged() throws {
        let place = try Place()
        let first = try place.keeper()
        for number in 2...4 as ClosedRange<UInt64> { try first.accept(place.root(number)) }
        _ = try first.accept(place.channel(7), at: Self.now)
        for name in ["root-3.json", "memory.json"] {
            try Data("{".utf8).write(to: URL(filePath: "\(place.kept)/\(name)"))
        }
        let second = try place.keeper()
        #expect(second.problems.count == 2)
        #expect(second.state?.numbers.root == 2)
        #expect(second.state?.numbers.channel == 7)
    }

    @Test("another application's root cannot be pinned, and without a root no document is taken")
    func unrooted() throws {
        let place = try Place()
        try place.root(1, ApplicationID(rawValue: "cfs")).write(to: place.path + "/pinned.json")
        #expect(throws: ReleaseError.self) { try place.keeper() }
        let plain = try TrustKeeper(
            TrustPolicy(application: place.application, keys: []), root: nil, directory: place.path + "/none")
        #expect(throws: ReleaseError.self) { try plain.accept(place.channel(1), at: Self.now) }
        #expect(begins(plain, at: Self.now) == nil)
        #expect(plain.withdrawn.isEmpty)
        #expect(FileManager.default.fileExists(atPath: place.path + "/none") == false)
    }
}
