extension NewTemplates {
    static let adapter = #"""
        public import VersionKit

        /// Shows the clients of __NAME__ one consistent system while two versions of it run.
        ///
        /// The protocol here is one of lines, `get KEY` and `set KEY VALUE`, each answered by a line. Change it to yours.
        public struct __TYPE__Adapter: MessageAdapter {
            /// Bytes of a line: nothing from outside may grow without a limit.
            static let lineMax = 8 << 10

            /// The adapter. It has no state: what a connection has set up belongs into its `Session`.
            public init() {}

            // A request is what `dispatch` needs to know, whatever protocol it came in: make it a type of your own.
            public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
                // `nil`: not complete yet. This is called again with the same bytes plus more.
                try bytes.peekLine(lengthMax: Self.lineMax, orThrow: .malformedRequest("line too long")).map {
                    String(buffer: $0)
                }
            }

            // `request` tells what the reply is to: in many protocols that decides how it is framed.
            public func parseReply(
                _ bytes: inout PeekBuffer, to request: String, from version: Version
            ) throws(ProxyError) -> String? {
                try bytes.peekLine(lengthMax: Self.lineMax, orThrow: .malformedReply("line too long")).map {
                    String(buffer: $0)
                }
            }

            // Writes that share a key reach all versions in the same order. A write must mean the same to each of them:
            // change it here if it has a relative time in it, or use `.lead` if one version has to decide.
            public func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
                let words = request.split(separator: " ")
                return switch (words.first, words.count) {
                case ("get", 2): .newestFirst
                case ("set", 3): .all(.key(ByteBuffer(string: String(words[1]))))
                default: .answer("error unknown request")
                }
            }

            // A miss is asked of the older version too; a failure fails a write.
            public func judge(_ reply: String) -> Verdict {
                if reply == "none" { return .miss }
                return reply.hasPrefix("error") ? .failure : .answer
            }

            // How a client is told that a request failed, and why.
            public func failure(_ error: ProxyError, of request: String) -> String { "error \(error.message)" }

            // Before a connection is closed because of what the client sent.
            public func goodbye(_ error: ProxyError, to client: Version?) -> ByteBuffer? {
                ByteBuffer(string: "error \(error.message)\n")
            }

            // True only for what may be done twice: it is sent again when a version was lost before it answered.
            public func isIdempotent(_ request: String) -> Bool { request.hasPrefix("get ") }

            // Here all versions speak the same protocol. If a later one does not: `identifyClient` tells from the first
            // bytes which one a client speaks, and `encode` words requests and replies for the others.
            public func forwards(_ request: String, from client: Version, to version: Version) -> Bool { true }

            public func forwards(
                _ reply: String, to request: String, from version: Version, for client: Version
            ) -> Bool { true }

            public func encode(_ request: String, for version: Version) throws(ProxyError) -> ByteBuffer {
                ByteBuffer(string: request + "\n")
            }

            public func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
                ByteBuffer(string: reply + "\n")
            }
        }

        """#
}
