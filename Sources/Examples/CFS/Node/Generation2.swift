public import CFSGeneration1
import CFSGeneration2
public import CFSModel
public import CFSProtocol
public import CFSProtocol2
public import CFSRing
public import NIOCore
public import ONCRPC

/// The forms of 2008, and a ring that passes questions on, knows who is near, and keeps blocks until their time is over.
public enum Generation2: RingGeneration {
    public static var number: Int { 2 }

    public static var chord: ChordParameters { .generation2 }

    public static var dhash: DHashParameters { .generation2 }

    public static var rules: any BlockRules { SignedBlockRules() }

    public static var exchange: RPCProcedure<TransportQuestion<Node2>, TransportAnswer<Node2>> { Transport2.doRPC }

    public static func call(_ request: RingRequest, to destination: ChordNode) throws(XDRError) -> Call {
        let form = try RequestForm2(request, to: destination)
        return (form.program, form.procedure, form.arguments)
    }

    public static func request(of call: Call) throws(MessageFault) -> RingRequest {
        try RequestForm2(program: call.program, procedure: call.procedure, arguments: call.arguments).request
    }

    public static func results(
        _ reply: RingReply, to request: RingRequest, from node: ChordNode
    ) throws(XDRError) -> ByteBuffer {
        try ReplyForm2.results(reply, to: request, from: node)
    }

    public static func reply(_ results: ByteBuffer, to request: RingRequest) throws(XDRError) -> RingReply {
        try ReplyForm2.reply(results, to: request)
    }
}
