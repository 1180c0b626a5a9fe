public import NIOCore

/// A reply message (RFC 5531, section 9).
public struct RPCReply: Hashable, Sendable {
    /// Of the call that it answers.
    public var xid: UInt32
    /// What became of the call.
    public var outcome: Outcome
    /// The server's proof of who it is; AUTH_NONE in replies that refuse the call for its version or its credential.
    public var verifier: RPCAuthentication

    /// All that a server can say of a call.
    public enum Outcome: Hashable, Sendable {
        /// SUCCESS, with the results as XDR.
        case success(ByteBuffer)
        /// PROG_UNAVAIL: the server does not have this program.
        case programUnavailable
        /// PROG_MISMATCH: the server has the program in versions from `low` to `high` only.
        case programMismatch(low: UInt32, high: UInt32)
        /// PROC_UNAVAIL: the program does not have this procedure.
        case procedureUnavailable
        /// GARBAGE_ARGS: the arguments are not those of the procedure.
        case garbageArguments
        /// SYSTEM_ERR: the server could not do it, for a reason of its own.
        case systemError
        /// RPC_MISMATCH: the server speaks versions from `low` to `high` of RPC itself.
        case versionMismatch(low: UInt32, high: UInt32)
        /// AUTH_ERROR: the server does not take the call from this caller.
        case authenticationError(RPCAuthenticationStatus)
    }

    /// A reply.
    public init(xid: UInt32, _ outcome: Outcome, verifier: RPCAuthentication = .none) {
        self.xid = xid
        self.outcome = outcome
        self.verifier = verifier
    }

    /// The message as bytes.
    ///
    /// - Throws: `XDRError` if the verifier is longer than ``RPCAuthentication/bodyBytesMax``.
    public func encoded() throws(XDRError) -> ByteBuffer {
        var writer = XDRWriter()
        writer.writeInteger(xid)
        writer.writeInteger(1, as: UInt32.self)
        switch outcome {
        case .versionMismatch(let low, let high): Self.write([1, 0, low, high], to: &writer)
        case .authenticationError(let status): Self.write([1, 1, status.rawValue], to: &writer)
        case .success, .programUnavailable, .programMismatch, .procedureUnavailable, .garbageArguments, .systemError:
            writer.writeInteger(0, as: UInt32.self)
            try writer.write(verifier)
            writeAcceptance(to: &writer)
        }
        return writer.bytes
    }

    private func writeAcceptance(to writer: inout XDRWriter) {
        switch outcome {
        case .success(let results):
            writer.writeInteger(0, as: UInt32.self)
            writer.writeEncoded(results)
        case .programUnavailable: Self.write([1], to: &writer)
        case .programMismatch(let low, let high): Self.write([2, low, high], to: &writer)
        case .procedureUnavailable: Self.write([3], to: &writer)
        case .garbageArguments: Self.write([4], to: &writer)
        case .systemError: Self.write([5], to: &writer)
        case .versionMismatch, .authenticationError: break
        }
    }

    private static func write(_ numbers: [UInt32], to writer: inout XDRWriter) {
        for number in numbers { writer.writeInteger(number) }
    }

    /// Reads what follows the message's type.
    init(xid: UInt32, from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        switch try reader.read(UInt32.self) {
        case 0:
            let verifier: RPCAuthentication = try reader.read()
            self.init(xid: xid, try Self.acceptance(&reader), verifier: verifier)
        case 1:
            self.init(xid: xid, try Self.denial(&reader))
        case let number: throw XDRError(.unknownCase(type: "reply_stat", number: number), at: offset)
        }
    }

    private static func acceptance(_ reader: inout XDRReader) throws(XDRError) -> Outcome {
        let offset = reader.offset
        let number: UInt32 = try reader.read()
        let outcome: Outcome
        switch number {
        case 0: return .success(reader.rest)
        case 1: outcome = .programUnavailable
        case 2: outcome = .programMismatch(low: try reader.read(), high: try reader.read())
        case 3: outcome = .procedureUnavailable
        case 4: outcome = .garbageArguments
        case 5: outcome = .systemError
        default: throw XDRError(.unknownCase(type: "accept_stat", number: number), at: offset)
        }
        try reader.requireEnd()
        return outcome
    }

    private static func denial(_ reader: inout XDRReader) throws(XDRError) -> Outcome {
        let offset = reader.offset
        let outcome: Outcome
        switch try reader.read(UInt32.self) {
        case 0: outcome = .versionMismatch(low: try reader.read(), high: try reader.read())
        case 1: outcome = .authenticationError(RPCAuthenticationStatus(rawValue: try reader.read()))
        case let number: throw XDRError(.unknownCase(type: "reject_stat", number: number), at: offset)
        }
        try reader.requireEnd()
        return outcome
    }
}
