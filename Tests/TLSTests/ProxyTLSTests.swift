#if TLS
    import Glibc
    import NIOCore
    import NIOPosix
    import NIOSSL
    import Testing
    import VersionKitModel
    import VersionKitProcesses
    import VersionKitProxy
    import VersionKitTLS
    import VersionKitTransport
    import VersionKitWire

    /// Answers every line with the line: the simplest version there is.
    private struct EchoAdapter: MessageAdapter {
        func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> String? {
            bytes.peek(upTo: 10, lengthMax: 100).map { String(buffer: $0) }
        }

        func parseReply(
            _ bytes: inout PeekBuffer, to request: String, from version: Version
        ) throws(ProxyError) -> String? { try parseRequest(&bytes, from: version) }

        func dispatch(_ request: inout String, _ context: inout DispatchContext<NoSession>) -> Dispatch<String> {
            .answer(request)
        }

        func judge(_ reply: String) -> Verdict { .answer }

        func encode(_ reply: String, to request: String, for client: Version) throws(ProxyError) -> ByteBuffer {
            ByteBuffer(string: reply + "\n")
        }

        func failure(_ error: ProxyError, of request: String) -> String { "!" }
    }

    @Suite("TLS towards clients")
    struct ProxyTLSTests {
        /// A certificate for nobody in particular.
        private func makeCertificate() async throws -> (chain: String, key: String) {
            var template = Array("/tmp/versionkit-tls-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
            let directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            let (chain, key) = (directory + "/chain.pem", directory + "/key.pem")
            let result = try await Command.run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-keyout",
                    key,
                    "-out", chain,
                ])
            try #require(result.exit.isSuccess, "\(result.output)")
            return (chain, key)
        }

        @Test("a client that speaks TLS is served, and one that does not is closed")
        func served() async throws {
            let files = try await makeCertificate()
            let tls = try ProxyTLS(certificateChain: files.chain, privateKey: files.key)
            let group = MultiThreadedEventLoopGroup.singleton
            let server = ProxyServer(EchoAdapter(), group: group, security: tls)
            await server.update(VersionTable(generation: 1))
            let place = ClientListener.Place.local(path: files.chain + ".sock")
            server.listen(descriptor: try ClientListener.open(place))

            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            let context = try NIOSSLContext(configuration: configuration)
            let answer = group.next().makePromise(of: String.self)
            let channel = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandlers(handler, Collector(answer))
                    }
                }
                .connect(unixDomainSocketPath: files.chain + ".sock").get()
            try await channel.writeAndFlush(ByteBuffer(string: "hello\n")).get()
            #expect(try await answer.futureResult.get() == "hello\n")
            try await channel.close().get()

            let plain = try await ClientBootstrap(group: group)
                .connect(unixDomainSocketPath: files.chain + ".sock").get()
            try await plain.writeAndFlush(ByteBuffer(string: "hello\n")).get()
            try await plain.closeFuture.get()
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<String>

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            promise.succeed(String(buffer: unwrapInboundIn(data)))
        }
    }
#endif
