public import CFSModel
public import CFSProtocol
public import ONCRPC

/// How nodes of 2008 keep the ring (`chord_prot.x`; program 344447, version 1): as in 2004, but for the form of nodes. Wrapped in
/// ``Transport2``.
public enum Chord2 {
    /// The program.
    public static let program = RPCProgram(344_447, version: 1, name: "chord (2008)")
    /// Who follows?
    public static let successor = RPCProcedure<ChordID, NodeResult>(program, 1, "GETSUCCESSOR", isRepeatable: true)
    /// Who is before?
    public static let predecessor = RPCProcedure<ChordID, NodeResult>(program, 2, "GETPREDECESSOR", isRepeatable: true)
    /// This one may be before the one that is asked.
    public static let notify = RPCProcedure<Node2, ChordStatus>(program, 4, "NOTIFY", isRepeatable: true)
    /// This one did not answer.
    public static let alert = RPCProcedure<Node2, ChordStatus>(program, 5, "ALERT", isRepeatable: true)
    /// The node and those that follow.
    public static let successorList = RPCProcedure<ChordID, NodesResult>(program, 6, "GETSUCCLIST", isRepeatable: true)
    /// Who has an id, or who is nearest before it?
    public static let testRange = RPCProcedure<ChordTestRange, ChordTestRangeResult<Node2>>(
        program, 7, "TESTRANGE_FINDCLOSESTPRED", isRepeatable: true)
    /// The node and those before it.
    public static let predecessorList = RPCProcedure<ChordID, NodesResult>(
        program, 13, "GETPREDLIST", isRepeatable: true)
    /// The way to an id.
    public static let findRoute = RPCProcedure<ChordFindRoute, NodesResult>(
        program, 15, "FINDROUTE", isRepeatable: true)
    /// The node and its fingers (`fingers_prot.x`; program 344454).
    public static let fingers = RPCProcedure<ChordID, NodesResult>(
        RPCProgram(344_454, version: 1, name: "fingers (2008)"), 1, "GETFINGERS", isRepeatable: true)

    /// A node, or none.
    public typealias NodeResult = ChordNodeResult<Node2>
    /// Nodes, or none.
    public typealias NodesResult = ChordNodesResult<Node2>
}
