import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
import ONCRPC
import VersionKit

/// Calls and replies as they lie in a gateway's stream.
enum GatewayCalls {
    /// Bytes of a record, the historic limit.
    static let recordMax = RPCLimits.standard.recordBytesMax

    /// A call; what is none that a gateway knows is answered by the proxy itself.
    static func request(_ message: ByteBuffer, isOf2004: Bool) throws(XDRError) -> CFSRequest {
        switch try RPCMessage(message) {
        case .reply: throw XDRError(.invalid("a reply from a client"), at: 4)
        case .refused(let reply): return CFSRequest(kind: .refused(reply.outcome), xid: reply.xid)
        case .call(let call):
            return CFSRequest(kind: kind(call, isOf2004: isOf2004), xid: call.xid, credential: call.credential)
        }
    }

    private static func kind(_ call: RPCCall, isOf2004: Bool) -> CFSRequest.Kind {
        let program = Gateway2.program
        guard call.program == program.number else { return .refused(.programUnavailable) }
        guard call.version == program.version else {
            return .refused(.programMismatch(low: program.version, high: program.version))
        }
        let kind: CFSRequest.Kind?
        switch call.procedure {
        case program.null.number: kind = .ping
        case Gateway2.insert.number: kind = insertion(call.arguments, isOf2004: isOf2004).map { .insert($0) }
        case Gateway2.retrieve.number: kind = retrieval(call.arguments, isOf2004: isOf2004).map { .retrieve($0) }
        default: kind = .refused(.procedureUnavailable)
        }
        return kind ?? .refused(.garbageArguments)
    }

    private static func insertion(_ bytes: ByteBuffer, isOf2004: Bool) -> Gateway2.Insertion? {
        guard isOf2004 else { return try? Gateway2.insert.arguments(from: bytes) }
        return (try? Gateway1.insert.arguments(from: bytes)).flatMap { .init($0) }
    }

    private static func retrieval(_ bytes: ByteBuffer, isOf2004: Bool) -> Gateway2.Retrieval? {
        guard isOf2004 else { return try? Gateway2.retrieve.arguments(from: bytes) }
        return (try? Gateway1.retrieve.arguments(from: bytes)).flatMap { .init($0) }
    }

    static func encode(_ request: CFSRequest, isFor2004: Bool) throws(XDRError) -> ByteBuffer {
        let (xid, who) = (request.xid, request.credential)
        let call: RPCCall
        switch request.kind {
        case .insert(let block) where isFor2004:
            call = try Gateway1.insert.call(block.of2004, xid: xid, credential: who)
        case .insert(let block): call = try Gateway2.insert.call(block, xid: xid, credential: who)
        case .retrieve(let what) where isFor2004:
            call = try Gateway1.retrieve.call(what.of2004, xid: xid, credential: who)
        case .retrieve(let what): call = try Gateway2.retrieve.call(what, xid: xid, credential: who)
        case .ping, .refused: call = try Gateway2.program.null.call(XDRVoid(), xid: xid, credential: who)
        }
        return RecordMarking.record(try call.encoded())
    }

    /// - Throws: also if it answers another call: a gateway answers those of a connection in their order.
    static func reply(
        _ message: ByteBuffer, to request: CFSRequest, isOf2004: Bool
    ) throws(XDRError) -> CFSReply {
        guard case .reply(let reply) = try RPCMessage(message), reply.xid == request.xid else {
            throw XDRError(.invalid("an answer to another call"), at: 0)
        }
        guard case .success(let results) = reply.outcome else { return .refused(reply.outcome) }
        switch request.kind {
        case .ping, .refused: return .pong
        case .insert where isOf2004: return .inserted(.init(try Gateway1.insert.results(from: results)))
        case .insert: return .inserted(try Gateway2.insert.results(from: results))
        case .retrieve(let what):
            let result =
                isOf2004
                ? Gateway2.RetrieveResult(try Gateway1.retrieve.results(from: results))
                : try Gateway2.retrieve.results(from: results)
            return .retrieved(result, proof: BlockProof(result, to: what))
        }
    }

    static func encode(_ reply: CFSReply, xid: UInt32, isFor2004: Bool) throws(XDRError) -> ByteBuffer {
        let outcome: RPCReply.Outcome
        switch reply {
        case .inserted(let result) where isFor2004: outcome = .success(try XDRWriter.bytes(of: result.of2004))
        case .inserted(let result): outcome = .success(try XDRWriter.bytes(of: result))
        case .retrieved(let result, _) where isFor2004: outcome = .success(try XDRWriter.bytes(of: result.of2004))
        case .retrieved(let result, _): outcome = .success(try XDRWriter.bytes(of: result))
        case .pong: outcome = .success(ByteBuffer())
        case .refused(let why): outcome = why
        }
        return RecordMarking.record(try RPCReply(xid: xid, outcome).encoded())
    }
}
