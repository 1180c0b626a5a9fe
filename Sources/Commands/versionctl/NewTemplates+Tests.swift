extension NewTemplates {
    static let tests = #"""
        import Testing
        import VersionKit
        import VersionKitTesting
        import __TYPE__Adapter

        @Suite("__TYPE__Adapter")
        struct __TYPE__AdapterTests {
            @Test("however requests and replies are cut, they are understood the same")
            func framing() throws {
                let check = FramingCheck(__TYPE__Adapter())
                let requests = ["get a\n", "set a 1\n"].map { ByteBuffer(string: $0) }
                try check.requests(requests, from: 1)
                let replies = [(request: requests[0], reply: ByteBuffer(string: "1\n"))]
                try check.replies(replies, from: 1)
                try check.damagedRequests(requests, from: 1, seed: 1)
                try check.damagedReplies(replies, from: 1, seed: 1)
            }

            /// What is said, line by line; the documentation of `Script` has all that can stand in it.
            private static let conversation = """
                # A write goes to both versions and is answered when both did it.
                versions 1 2
                client > set a 1\\n
                1 < set a 1\\n
                2 < set a 1\\n
                1 > ok\\n
                client <
                2 > ok\\n
                client < ok\\n

                # A read asks the newest version, and the older one if that has nothing.
                client > get a\\n
                2 < get a\\n
                2 > none\\n
                1 < get a\\n
                1 > 1\\n
                client < 1\\n

                # What is no request is answered by the proxy, and reaches no version.
                client > hello\\n
                client < error unknown request\\n
                """

            @Test("the conversation goes as it is written, in memory")
            func inMemory() throws { try Script(Self.conversation).run(__TYPE__Adapter()) }

            @Test("the conversation goes as it is written, over loopback")
            func overLoopback() async throws { try await Script(Self.conversation).runOverLoopback(__TYPE__Adapter()) }
        }

        """#
}
