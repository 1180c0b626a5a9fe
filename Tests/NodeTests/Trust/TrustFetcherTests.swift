import CLinux
import Glibc
import NIOCore
import Testing
import VersionKitModel
@testable import VersionKitNode
import VersionKitProcesses
import VersionKitReleases
import VersionKitSockets

/// What a node takes from a router that it asks for newer documents, and what not.
@Suite("TrustFetcher")
struct TrustFetcherTests {
    private static let now = UTCTime(seconds: 1_800_000_000)
    private let key = PublisherKey.generate()

    private func root(_ number: UInt64) throws -> SignedDocument<TrustRoot> {
        var root = try SignedDocument(
            TrustRoot(
                application: try #require(ApplicationID(rawValue: "irislog")), number: number,
                expires: Self.now + 1000, threshold: 1, keys: [key.publicKey]))
        try root.sign(with: key)
        return root
    }

    private func channel(_ number: UInt64, by key: PublisherKey? = nil) throws -> SignedDocument<ReleaseChannel> {
        var document = try SignedDocument(
            ReleaseChannel(
                application: try #require(ApplicationID(rawValue: "irislog")), number: number,
                expires: Self.now + 100))
        try document.sign(with: key ?? self.key)
        return document
    }

    /// What is fetched from a router that says these things, one after the other.
    private func fetch(_ answers: [[UInt8]]) async throws -> TrustFetcher.News {
        let router = try AnsweringRouter(answers)
        defer { router.stop() }
        return try await TrustFetcher(state: TrustState(pinned: root(1)), now: Self.now).fetch(from: router.endpoint)
    }

    private func text(_ line: String) -> [UInt8] { Array("\(line)\n".utf8) }
    private func answer(_ bytes: [UInt8]) -> [UInt8] { text("ok \(bytes.count)") + bytes }

    @Test("the roots that are missing and the newest channel are fetched; who has nothing newer is asked for nothing")
    func newer() async throws {
        let news = try await fetch([
            text("ok 3 9"), answer(root(2).bytes), answer(root(3).bytes), answer(channel(9).bytes),
        ])
        #expect(news.roots.map(\.content.number) == [2, 3])
        #expect(news.channel?.content.number == 9)
        #expect(try await fetch([text("ok 1 0")]).isEmpty)
        #expect(try await fetch([text("ok 0 0")]).isEmpty)
    }

    @Test("however long a router says that its chain is, 32 roots come at one time")
    func long() async throws {
        let roots = try (2...40 as ClosedRange<UInt64>).map { answer(try root($0).bytes) }
        let news = try await fetch([text("ok \(UInt64.max) 0")] + roots)
        #expect(news.roots.count == 32)
    }

    @Test(
        "what does not hold is refused: numbers out of order, other signers, lengths without bound, half of a document")
    func lies() async throws {
        let stranger = PublisherKey.generate()
        for answers in try [
            [text("ok")], [text("ok 2")], [text("error no")], [text("hello")], [],
            [text("ok 2 0"), answer(root(3).bytes)],
            [text("ok 2 0"), text("error no")],
            [text("ok 2 0"), text("ok 16385")],
            [text("ok 1 5"), text("ok 18446744073709551615")],
            [text("ok 1 5"), answer(channel(5, by: stranger).bytes)],
            [text("ok 1 5"), answer(channel(5).bytes.dropLast(9))],
            [text("ok 1 5"), text("ok 99") + channel(5).bytes],
            [text("ok 1 5"), answer(root(2).bytes)],
            [[UInt8](repeating: 0x61, count: 4096)],
        ] {
            await #expect(throws: (any Error).self) { _ = try await fetch(answers) }
        }
    }

    @Test("a channel is taken for what it says, not for what its router said of it")
    func older() async throws {
        let news = try await fetch([text("ok 1 9"), answer(channel(4).bytes)])
        #expect(news.channel?.content.number == 4)
    }
}

/// A router that answers each line with the next of these, and then ends the conversation.
private final class AnsweringRouter: Sendable {
    private let listener: Int32
    let endpoint: Endpoint

    init(_ answers: [[UInt8]]) throws {
        listener = try openSocket(.v4, .stream)
        let local = try #require(IPAddress("127.0.0.1"))
        try #require(bindSocket(listener, to: Endpoint(address: local, port: 0)))
        try #require(listen(listener, 1) == 0)
        endpoint = Endpoint(address: local, port: try #require(localEndpoint(of: listener)).port)
        let listener = listener
        SystemThread(name: "answers") {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else { return }
            defer { close(socket) }
            for (index, answer) in answers.enumerated() {
                var byte: UInt8 = 0
                // The header holds no end of a line but that of its magic.
                var lines = index == 0 ? 2 : 1
                while lines > 0 {
                    guard recv(socket, &byte, 1, 0) == 1 else { return }
                    if byte == 10 { lines -= 1 }
                }
                _ = send(socket, answer, answer.count, Int32(MSG_NOSIGNAL))
            }
        }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
