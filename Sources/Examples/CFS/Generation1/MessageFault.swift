public import ONCRPC

/// Why a question of another node is not carried out.
public enum MessageFault: Error, Hashable, Sendable {
    /// There is no such procedure.
    case noHandler(program: UInt32, procedure: UInt32)
    /// Its arguments are none of that procedure, or make no sense.
    case badArguments(XDRError)
}
