public import CFSGeneration1
public import CFSModel
public import CFSProtocol
public import CFSProtocol1
public import CFSRing
public import NIOCore
public import ONCRPC

/// The forms of 2004, and the ring of then.
public enum Generation1: RingGeneration {
    public static var number: Int { 1 }

    public static var chord: ChordParameters { ChordParameters() }

    public static var dhash: DHashParameters { DHashParameters() }

    public static var rules: any BlockRules { SignedBlockRules() }

    public static var exchange: RPCProcedure<TransportQuestion<Node1>, TransportAnswer<Node1>> { Transport1.doRPC }

    public static func call(_ request: RingRequest, to destination: ChordNode) throws(XDRError) -> Call {
        let form = try RequestForm1(request, to: destination)
        return (form.program, form.procedure, form.arguments)
    }

    public static func request(of call: Call) throws(MessageFault) -> RingRequest {
        try RequestForm1(program: call.program, procedure: call.procedure, arguments: call.arguments).request
    }

    public static func results(
        _ reply: RingReply, to request: RingRequest, from node: ChordNode
    ) throws(XDRError) -> ByteBuffer {
        try ReplyForm1.results(reply, to: request, from: node)
    }

    public static func reply(_ results: ByteBuffer, to request: RingRequest) throws(XDRError) -> RingReply {
        try ReplyForm1.reply(results, to: request)
    }
}
