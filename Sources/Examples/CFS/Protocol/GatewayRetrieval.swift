public import CFSModel
public import ONCRPC

/// The arguments of a retrieval (CFS 2004 and 2008, `dhash_retrieve_arg`), with the generation's numbers of kinds.
public struct GatewayRetrieval<Kind: XDREnumeration & Hashable>: XDRCodable, Hashable {
    /// The block's key.
    public var key: ChordID
    /// What the key proves.
    public var kind: Kind
    /// What the client wishes beyond.
    public var options: GatewayOptions
    /// Where the block may be, if the options say so.
    public var guess: ChordID

    /// A retrieval.
    public init(key: ChordID, kind: Kind, options: GatewayOptions = [], guess: ChordID = ChordID(0)) {
        self.key = key
        self.kind = kind
        self.options = options
        self.guess = guess
    }

    /// Reads the arguments.
    public init(from reader: inout XDRReader) throws(XDRError) {
        key = try reader.read()
        kind = try reader.read()
        options = try reader.read()
        guess = try reader.read()
    }

    /// Writes the arguments.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(key)
        try writer.write(kind)
        try writer.write(options)
        try writer.write(guess)
    }
}
