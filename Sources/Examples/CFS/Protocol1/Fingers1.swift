public import CFSModel
public import CFSProtocol
public import ONCRPC

/// What nodes of 2004 ask about each other's fingers (`fingers_prot.x`; program 344454, version 1). Wrapped in ``Transport1``.
public enum Fingers1 {
    /// The program.
    public static let program = RPCProgram(344_454, version: 1, name: "fingers (2004)")
    /// The node and its fingers.
    public static let fingers = RPCProcedure<ChordID, Chord1.NodesResult>(
        program, 1, "GETFINGERS", isRepeatable: true)
}
