#if TLS
    public import NIOCore
    import NIOSSL
    public import VersionKitTransport

    /// TLS towards a proxy's clients.
    ///
    /// ```swift
    /// let tls = try ProxyTLS(certificateChain: files.chain, privateKey: files.key)
    /// ```
    ///
    /// `ProxyProcess.run(_:security:)` takes it. A connection that is encrypted cannot move to another process: when a newer
    /// proxy takes over, the older one serves it until it is quiet (``Limits/handoverQuietTime``), for a while at most
    /// (``Limits/handoverTimeout``), and closes it between two requests; the client connects anew.
    ///
    /// Only with the package trait `TLS`, since BoringSSL is what takes longest to build of all that a proxy could need.
    /// TLS 1.2 is the oldest that is spoken. Thread-safe.
    public struct ProxyTLS: ClientSecurity {
        private let context: NIOSSLContext

        /// Reads the certificates and the key.
        ///
        /// - Parameters:
        ///   - certificateChain: the path of a PEM file, the proxy's own certificate first.
        ///   - privateKey: the path of a PEM file.
        /// - Throws: NIOSSL's error if they cannot be read or do not belong together.
        public init(certificateChain: String, privateKey: String) throws {
            let chain = try NIOSSLCertificate.fromPEMFile(certificateChain).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: privateKey, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            context = try NIOSSLContext(configuration: configuration)
        }

        public func secure(_ channel: any Channel) throws {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }
    }
#endif
