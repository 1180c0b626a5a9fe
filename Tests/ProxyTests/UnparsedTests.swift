import NIOCore
import Synchronization
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting
import VersionKitWire

/// In steady state, with one version, a proxy has nothing to find out.
@Suite("What need not be parsed")
struct UnparsedTests {
    /// A protocol of lines that says how often it was asked to parse one.
    private struct CountingAdapter: MessageAdapter {
        final class Counts: Sendable {
            let requests = Atomic(0)
            let replies = Atomic(0)
        }

        let counts = Counts()
        var shares = false

        func glance(at bytes: inout PeekBuffer, from client: Version, in session: NoSession) -> Glance? {
            guard let line = line(&bytes) else { return nil }
            return line.hasPrefix("get")
                ? .read : line.hasPrefix("set") ? .write(KeyMark(ByteBuffer(string: line))) : .other
        }

        func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? { line(&bytes).map { _ in true } }

        func sharesConnections(_ session: NoSession) -> Bool { shares }

        func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
            counts.requests.add(1, ordering: .relaxed)
            return line(&bytes)
        }

        func parseReply(
            _ bytes: inout PeekBuffer, to request: String, from version: Version
        ) throws(ProxyError) -> String? {
            counts.replies.add(1, ordering: .relaxed)
            return line(&bytes)
        }

        private func line(_ bytes: inout PeekBuffer) -> String? {
            bytes.peek(upTo: 10, lengthMax: 100).map { String(buffer: $0) }
        }

        func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
            request.hasPrefix("get") ? .newestFirst : .all(.key(ByteBuffer(string: request)))
        }

        func judge(_ reply: String) -> Verdict { .answer }

        func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
            ByteBuffer(string: reply + "\n")
        }

        func failure(_ error: ProxyError, of request: String) -> String { "!" }
    }

    @Test(
        "with one version, nothing of a connection is parsed once its first requests are answered",
        arguments: [false, true])
    func oneVersion(_ shares: Bool) {
        let adapter = CountingAdapter(shares: shares)
        var proxy = InMemoryProxy(adapter, versions: [1])
        proxy.sharesConnections = shares
        for round in 0..<100 {
            let requests = "get a\nset b \(round)\nincr c\n"
            proxy.say(ByteBuffer(string: requests), as: "client")
            let by = shares ? InMemoryProxy<CountingAdapter>.everybody : "client"
            #expect(proxy.takeSent(to: 1, by: by) == ByteBuffer(string: requests))
            proxy.answer(ByteBuffer(string: "1\n2\n3\n"), from: 1, to: by)
            #expect(proxy.takeReceived(by: "client") == ByteBuffer(string: "1\n2\n3\n"))
        }
        #expect(proxy.answered.all == 300)
        // The first ones need a connection, and perhaps a greeting.
        for count in [
            adapter.counts.requests.load(ordering: .relaxed), adapter.counts.replies.load(ordering: .relaxed),
        ] {
            #expect(count == (shares ? 0 : 3))
        }
    }
}
