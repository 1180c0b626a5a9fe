public import NIOCore

/// Who calls, or a proof of it: a flavor and a body that only the flavor understands (RFC 5531, section 8.2).
public struct RPCAuthentication: XDRCodable, Hashable {
    /// The most bytes of a body, by the RFC.
    public static let bodyBytesMax = 400

    /// What the body is.
    public var flavor: Flavor
    /// Opaque here.
    public var body: ByteBuffer

    /// The kinds of authentication (RFC 5531, section 8.2, and IANA's list).
    public struct Flavor: RawRepresentable, Hashable, Sendable {
        /// Its number.
        public var rawValue: UInt32

        /// A flavor by its number.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// AUTH_NONE.
        public static let none = Flavor(rawValue: 0)
        /// AUTH_SYS: numbers of user and groups, without proof.
        public static let system = Flavor(rawValue: 1)
    }

    /// A credential or verifier.
    public init(_ flavor: Flavor, body: ByteBuffer = ByteBuffer()) {
        self.flavor = flavor
        self.body = body
    }

    /// Nobody in particular.
    public static let none = RPCAuthentication(.none)

    /// Reads flavor and body.
    public init(from reader: inout XDRReader) throws(XDRError) {
        flavor = Flavor(rawValue: try reader.read())
        body = try reader.readOpaque(max: Self.bodyBytesMax)
    }

    /// Writes flavor and body.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(flavor.rawValue)
        try writer.writeOpaque(body, max: Self.bodyBytesMax)
    }
}

/// Why a server does not believe who calls: `auth_stat` (RFC 5531, section 9).
public struct RPCAuthenticationStatus: RawRepresentable, Hashable, Sendable {
    /// Its number.
    public var rawValue: UInt32

    /// A status by its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// AUTH_BADCRED: the credential cannot be read.
    public static let badCredential = Self(rawValue: 1)
    /// AUTH_REJECTEDCRED: the client has to begin a new session.
    public static let rejectedCredential = Self(rawValue: 2)
    /// AUTH_BADVERF: the verifier cannot be read.
    public static let badVerifier = Self(rawValue: 3)
    /// AUTH_REJECTEDVERF: the verifier is out of date, or came before.
    public static let rejectedVerifier = Self(rawValue: 4)
    /// AUTH_TOOWEAK: the server wants more than this flavor.
    public static let tooWeak = Self(rawValue: 5)
    /// AUTH_FAILED: for a reason that is not told.
    public static let failed = Self(rawValue: 7)
}
