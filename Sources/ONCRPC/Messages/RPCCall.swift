public import NIOCore

/// A call message (RFC 5531, section 9): which procedure, for whom, with what arguments.
public struct RPCCall: Hashable, Sendable {
    /// The version of the protocol itself.
    public static let protocolVersion: UInt32 = 2

    /// Which call it is: its reply says the same, and so does the call when it is sent once more.
    public var xid: UInt32
    /// The program's number.
    public var program: UInt32
    /// The program's version.
    public var version: UInt32
    /// The procedure's number.
    public var procedure: UInt32
    /// Who calls.
    public var credential: RPCAuthentication
    /// The proof of it.
    public var verifier: RPCAuthentication
    /// The arguments, as XDR.
    public var arguments: ByteBuffer

    /// A call.
    public init(
        xid: UInt32, program: UInt32, version: UInt32, procedure: UInt32, credential: RPCAuthentication = .none,
        verifier: RPCAuthentication = .none, arguments: ByteBuffer = ByteBuffer()
    ) {
        self.xid = xid
        self.program = program
        self.version = version
        self.procedure = procedure
        self.credential = credential
        self.verifier = verifier
        self.arguments = arguments
    }

    /// The message as bytes.
    ///
    /// - Throws: `XDRError` if credential or verifier are longer than ``RPCAuthentication/bodyBytesMax``.
    public func encoded() throws(XDRError) -> ByteBuffer {
        var writer = XDRWriter()
        for number in [xid, 0, Self.protocolVersion, program, version, procedure] { writer.writeInteger(number) }
        try writer.write(credential)
        try writer.write(verifier)
        writer.writeEncoded(arguments)
        return writer.bytes
    }
}
