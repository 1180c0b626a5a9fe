public import CFSModel
public import CFSProtocol
public import ONCRPC

/// How nodes of 2004 keep the ring and find their way (`chord_prot.x`; program 344447, version 1). Wrapped in ``Transport1``.
///
/// Where an argument is an id alone, it is that of the node that is asked.
public enum Chord1 {
    /// The program.
    public static let program = RPCProgram(344_447, version: 1, name: "chord (2004)")
    /// Who follows?
    public static let successor = RPCProcedure<ChordID, NodeResult>(program, 1, "GETSUCCESSOR", isRepeatable: true)
    /// Who is before?
    public static let predecessor = RPCProcedure<ChordID, NodeResult>(program, 2, "GETPREDECESSOR", isRepeatable: true)
    /// This one may be before the one that is asked.
    public static let notify = RPCProcedure<Node1, Status>(program, 4, "NOTIFY", isRepeatable: true)
    /// This one did not answer.
    public static let alert = RPCProcedure<Node1, Status>(program, 5, "ALERT", isRepeatable: true)
    /// The node and those that follow.
    public static let successorList = RPCProcedure<ChordID, NodesResult>(
        program, 6, "GETSUCCLIST", isRepeatable: true)
    /// Who has an id, or who is nearest before it?
    public static let testRange = RPCProcedure<TestRange, TestRangeResult>(
        program, 7, "TESTRANGE_FINDCLOSESTPRED", isRepeatable: true)
    /// The node and those before it.
    public static let predecessorList = RPCProcedure<ChordID, NodesResult>(
        program, 13, "GETPREDLIST", isRepeatable: true)
    /// The way to an id.
    public static let findRoute = RPCProcedure<FindRoute, NodesResult>(program, 15, "FINDROUTE", isRepeatable: true)

    /// How a question ended.
    public typealias Status = ChordStatus
    /// A node, or none.
    public typealias NodeResult = ChordNodeResult<Node1>
    /// Nodes, or none.
    public typealias NodesResult = ChordNodesResult<Node1>
    /// The arguments of ``findRoute``.
    public typealias FindRoute = ChordFindRoute
    /// The arguments of ``testRange``.
    public typealias TestRange = ChordTestRange
    /// The answer to ``testRange``.
    public typealias TestRangeResult = ChordTestRangeResult<Node1>
}
