extension NewTemplates {
    static let tests = #"""
        import Testing
        import VersionKit

        @Suite("__TYPE__Adapter")
        struct __TYPE__AdapterTests {
            @Test("a write goes to both versions and is answered when both did it")
            func write() throws {
                var conversation = Conversation([1, 2])
                try conversation.client("set a 1\n")
                #expect(conversation.sent == [1: "set a 1\n", 2: "set a 1\n"])
                try conversation.version(1, "ok\n")
                #expect(conversation.received.isEmpty)
                try conversation.version(2, "ok\n")
                #expect(conversation.received == "ok\n")
            }

            @Test("a read asks the newest version, and the older one if that has nothing")
            func read() throws {
                var conversation = Conversation([1, 2])
                try conversation.client("get a\n")
                try conversation.version(2, "none\n")
                try conversation.version(1, "1\n")
                #expect(conversation.received == "1\n")
            }

            @Test("what is no request is answered by the proxy, and reaches no version")
            func unknown() throws {
                var conversation = Conversation([1, 2])
                try conversation.client("hello\n")
                #expect(conversation.received == "error unknown request\n")
                #expect(conversation.sent.isEmpty)
            }

            @Test("fed byte by byte, requests and replies are understood the same")
            func dripFed() throws {
                var conversation = Conversation([1])
                for character in "get a\nset a 1\n" { try conversation.client(String(character)) }
                for character in "1\nok\n" { try conversation.version(1, String(character)) }
                #expect(conversation.received == "1\nok\n")
            }

            @Test("a line over its limit ends the connection")
            func limit() throws {
                var conversation = Conversation([1])
                try conversation.client(String(repeating: "x", count: 9000))
                #expect(conversation.received == "error line too long\n")
                #expect(conversation.isClosed)
            }
        }

        """#

    static let conversation = #"""
        import VersionKit
        import __TYPE__Adapter

        /// One client's conversation through the adapter, without sockets: what the client and the versions say comes from
        /// the test. Nothing else of the tests knows of the engine.
        struct Conversation {
            /// What each version was sent.
            private(set) var sent: [Version: String] = [:]
            /// What the client received.
            private(set) var received = ""
            private(set) var isClosed = false

            private var proxy = MessageProxy(__TYPE__Adapter())
            private var unread = PeekBuffer()
            private var replies: [Version: PeekBuffer] = [:]
            private let versions: VersionList

            /// A conversation while these versions run.
            init(_ versions: VersionList) { self.versions = versions }

            /// The client sends.
            mutating func client(_ text: String) throws {
                var bytes = unread
                bytes.append(ByteBuffer(string: text))
                try act(&bytes) { proxy, bytes, handler in try proxy.handleRequest(from: nil, &bytes, &handler) }
                unread = bytes
            }

            /// A version sends.
            mutating func version(_ version: Version, _ text: String) throws {
                var bytes = replies[version] ?? PeekBuffer()
                bytes.append(ByteBuffer(string: text))
                try act(&bytes) { proxy, bytes, handler in try proxy.handleReply(from: version, &bytes, &handler) }
                replies[version] = bytes
            }

            private typealias Callback = (
                inout MessageProxy<__TYPE__Adapter>, inout PeekBuffer, inout ConnectionHandler
            ) throws -> Int

            private mutating func act(_ buffer: inout PeekBuffer, _ callback: Callback) throws {
                var used = 1
                while used > 0, buffer.count > 0 {
                    buffer.resetPeek()
                    var handler = ConnectionHandler(versions: versions)
                    used = try callback(&proxy, &buffer, &handler)
                    buffer.consume(used)
                    perform(&handler)
                }
            }

            private mutating func perform(_ handler: inout ConnectionHandler) {
                for action in handler.takeActions() {
                    switch action {
                    case .send(let bytes, let version): sent[version, default: ""] += String(buffer: bytes)
                    case .reply(let bytes): received += String(buffer: bytes)
                    case .order(let number, _):
                        // Nobody else writes here.
                        var next = ConnectionHandler(versions: versions)
                        proxy.ordered(number, &next)
                        perform(&next)
                    case .closeClient: isClosed = true
                    default: break
                    }
                }
            }
        }

        """#
}
