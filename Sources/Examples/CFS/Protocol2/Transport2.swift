public import CFSProtocol
public import ONCRPC

/// The program in which nodes of 2008 wrap all that they say to each other: that of 2004, but for the form of nodes.
public enum Transport2 {
    /// The program.
    public static let program = RPCProgram(344_451, version: 1, name: "transport (2008)")
    /// A procedure of a virtual node.
    public static let doRPC = RPCProcedure<Question, Answer>(program, 1, "DORPC")
    /// Procedure 0, asked of a virtual node by ``doRPC``: whether it is there.
    public static let null = program.null

    /// How wrapped calls end.
    public typealias Status = TransportStatus
    /// A wrapped call.
    public typealias Question = TransportQuestion<Node2>
    /// A wrapped reply.
    public typealias Answer = TransportAnswer<Node2>
}
