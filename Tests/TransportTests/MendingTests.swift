import Dispatch
import NIOCore
import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport
import VersionKitWire

/// Lines: `add KEY` writes, `get KEY` reads, `set KEY STATE` installs, `keys` lists; a reply with `!` is a refusal.
private struct KeyedLineAdapter: KeyedAdapter {
    func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? { line(&bytes) }

    func parseReply(
        _ bytes: inout PeekBuffer, to request: String, from version: Version
    ) throws(ProxyError) -> String? { line(&bytes) }

    private func line(_ bytes: inout PeekBuffer) -> String? {
        bytes.peek(upTo: UInt8(ascii: "\n"), lengthMax: 1024).map { String(buffer: $0) }
    }

    func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
        request.hasPrefix("add ") ? .all(.key(ByteBuffer(substring: request.dropFirst(4)))) : .newestFirst
    }

    func judge(_ reply: String) -> Verdict { reply.hasPrefix("!") ? .failure : .answer }

    func failure(_ error: ProxyError, of request: String) -> String { "!\(error.code)" }

    func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: request + "\n")
    }

    func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
        ByteBuffer(string: reply + "\n")
    }

    func list(after cursor: Never?) -> [String] { ["keys"] }

    func page(_ replies: [String], after cursor: Never?) throws(ProxyError) -> (keys: [ByteBuffer], next: Never?) {
        ([], nil)
    }

    func read(_ key: ByteBuffer) -> [String] { ["get " + String(buffer: key)] }

    func install(_ key: ByteBuffer, from replies: [String], milliseconds: Int64) throws(ProxyError) -> [String] {
        ["set \(String(buffer: key)) \(replies[0])"]
    }
}

@Suite("Keys that versions came to differ in")
struct MendingTests {
    @Test("they are copied from the version whose word counts, once for all who find them unlike")
    func mended() async throws {
        let gate = Gate()
        // The older version refuses what the newer one does, and takes its time for it.
        let old = try FakeVersion("old") { line in
            guard line.hasPrefix("add") else { return .say("done\n") }
            gate.pass()
            return .say("!no\n")
        }
        let new = try FakeVersion("new") { .say($0.hasPrefix("get") ? "state\n" : "done\n") }
        let server = ProxyServer(KeyedLineAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        await server.update(
            VersionTable(generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint]))
        let (listener, endpoint) = try Loopback.listen()
        server.listen(descriptor: listener)
        // A proxy that has just begun compares the versions first.
        try await eventually { server.counters.writes.lag.values.allSatisfy { $0 == 0 } }

        let (one, other) = (try LineConnection(to: endpoint), try LineConnection(to: endpoint))
        one.send("add k\n")
        try await eventually { old.lines.contains("add k") }
        // What comes with a request that is answered has been asked for, too.
        other.send("get z\nadd k\n")
        #expect(await onThread("other") { other.readLine() } == "state")
        gate.open()
        #expect(await onThread("one") { one.readLine() } == "done")
        #expect(await onThread("other") { other.readLine() } == "done")
        try await eventually { old.lines.contains("set k state") }
        try await eventually { server.counters.writes.lag.values.allSatisfy { $0 == 0 } }
        #expect(old.lines.count { $0 == "set k state" } == 1)
        #expect(old.lines.count { $0 == "add k" } == 2)
        #expect(server.counters.writes.diverged.isEmpty)
    }

    private func eventually(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Holds threads up until it is opened.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func pass() {
        semaphore.wait()
        semaphore.signal()
    }
}
