public import NIOCore

/// A program in one version: what an interface is called in ONC RPC.
public struct RPCProgram: Hashable, Sendable {
    /// Its number.
    public var number: UInt32
    /// Its version.
    public var version: UInt32
    /// What people call it.
    public var name: String

    /// A program.
    public init(_ number: UInt32, version: UInt32, name: String) {
        self.number = number
        self.version = version
        self.name = name
    }

    /// Procedure 0, which every program has: does nothing, and shows that there is somebody (RFC 5531, section 12.1).
    public var null: RPCProcedure<XDRVoid, XDRVoid> { RPCProcedure(self, 0, "NULL", isRepeatable: true) }
}

/// A procedure of a program, with the types of what it takes and gives.
///
/// ```swift
/// enum Counting {
///     static let program = RPCProgram(0x2000_0001, version: 3, name: "counting")
///     static let add = RPCProcedure<Int64, Int64>(program, 1, "ADD")
///     static let total = RPCProcedure<XDRVoid, Int64>(program, 2, "TOTAL", isRepeatable: true)
/// }
/// ```
public struct RPCProcedure<Arguments: XDRCodable, Results: XDRCodable>: Hashable, Sendable {
    /// Whose it is.
    public var program: RPCProgram
    /// Its number.
    public var number: UInt32
    /// What people call it.
    public var name: String
    /// Whether doing it twice is as good as once: then a call whose fate is unknown may be made again.
    public var isRepeatable: Bool

    /// A procedure.
    public init(_ program: RPCProgram, _ number: UInt32, _ name: String, isRepeatable: Bool = false) {
        self.program = program
        self.number = number
        self.name = name
        self.isRepeatable = isRepeatable
    }

    /// A call of it; whoever sends it gives it its `xid`.
    ///
    /// - Throws: `XDRError` if the arguments are longer than the protocol allows.
    public func call(
        _ arguments: Arguments, xid: UInt32 = 0, credential: RPCAuthentication = .none
    ) throws(XDRError) -> RPCCall {
        RPCCall(
            xid: xid, program: program.number, version: program.version, procedure: number, credential: credential,
            arguments: try XDRWriter.bytes(of: arguments))
    }

    /// The arguments of a call of it: all that the message has behind its header.
    public func arguments(from bytes: ByteBuffer, limits: XDRLimits = .standard) throws(XDRError) -> Arguments {
        try XDRReader.readAll(bytes, limits: limits)
    }

    /// The results of a reply to a call of it: all that the message has behind its header.
    public func results(from bytes: ByteBuffer, limits: XDRLimits = .standard) throws(XDRError) -> Results {
        try XDRReader.readAll(bytes, limits: limits)
    }
}
