public import NIOCore

/// A message as it came: a record of a stream, or a datagram (RFC 5531, section 9).
public enum RPCMessage: Hashable, Sendable {
    /// A call whose header is in order. Its arguments were not looked at.
    case call(RPCCall)
    /// A call that nobody can carry out, with the reply that the RFC wants: it speaks another version of RPC, or its
    /// credential or verifier is none.
    case refused(RPCReply)
    /// A reply. Its results were not looked at.
    case reply(RPCReply)

    /// Reads a message.
    ///
    /// - Throws: `XDRError` if it is neither a call that can be answered nor a reply.
    public init(_ message: ByteBuffer) throws(XDRError) {
        var reader = XDRReader(message)
        let xid: UInt32 = try reader.read()
        let offset = reader.offset
        switch try reader.read(UInt32.self) {
        case 0: self = try Self.call(xid, &reader)
        case 1: self = .reply(try RPCReply(xid: xid, from: &reader))
        case let number: throw XDRError(.unknownCase(type: "msg_type", number: number), at: offset)
        }
    }

    private static func call(_ xid: UInt32, _ reader: inout XDRReader) throws(XDRError) -> RPCMessage {
        guard try reader.read(UInt32.self) == RPCCall.protocolVersion else {
            let only = RPCCall.protocolVersion
            return .refused(RPCReply(xid: xid, .versionMismatch(low: only, high: only)))
        }
        let (program, version, procedure) = (
            try reader.read(UInt32.self), try reader.read(UInt32.self), try reader.read(UInt32.self)
        )
        let credential: RPCAuthentication
        do throws(XDRError) { credential = try reader.read() } catch {
            return .refused(RPCReply(xid: xid, .authenticationError(.badCredential)))
        }
        let verifier: RPCAuthentication
        do throws(XDRError) { verifier = try reader.read() } catch {
            return .refused(RPCReply(xid: xid, .authenticationError(.badVerifier)))
        }
        return .call(
            RPCCall(
                xid: xid, program: program, version: version, procedure: procedure, credential: credential,
                verifier: verifier, arguments: reader.rest))
    }
}
