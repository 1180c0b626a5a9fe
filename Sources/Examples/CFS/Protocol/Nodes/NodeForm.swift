public import CFSModel
public import ONCRPC

/// A node as a generation writes it: messages are the same but for that.
public protocol NodeForm: XDRCodable, Hashable {
    /// A node.
    init(_ node: ChordNode)
    /// The node.
    var node: ChordNode { get }
}
