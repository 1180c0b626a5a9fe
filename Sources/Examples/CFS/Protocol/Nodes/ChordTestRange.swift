public import CFSModel
public import NIOCore
public import ONCRPC

/// The arguments of TESTRANGE_FINDCLOSESTPRED, `chord_testandfindarg`.
public struct ChordTestRange: XDRCodable, Hashable {
    /// What is looked for.
    public var id: ChordID
    /// The program, procedure and arguments of a question to the layer above, 0 and nothing for none: in the historic
    /// tree nobody asks one.
    public var upcallProgram, upcallProcedure: UInt32
    /// The arguments of that question.
    public var upcallArguments: ByteBuffer
    /// Nodes not to be named.
    public var failed: [ChordID]

    /// A question without an upcall.
    public init(_ id: ChordID, failed: [ChordID]) {
        self.id = id
        upcallProgram = 0
        upcallProcedure = 0
        upcallArguments = ByteBuffer()
        self.failed = failed
    }

    /// Reads the arguments.
    public init(from reader: inout XDRReader) throws(XDRError) {
        id = try reader.read()
        upcallProgram = try reader.read()
        upcallProcedure = try reader.read()
        upcallArguments = try reader.readOpaque(max: NodeLimits.messageBytesMax)
        failed = try reader.readArray(max: NodeLimits.failedNodesMax)
    }

    /// Writes the arguments.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(id)
        try writer.write(upcallProgram)
        try writer.write(upcallProcedure)
        try writer.writeOpaque(upcallArguments, max: NodeLimits.messageBytesMax)
        try writer.writeArray(failed, max: NodeLimits.failedNodesMax)
    }
}

/// The answer to TESTRANGE_FINDCLOSESTPRED, `chord_testandfindres`.
public enum ChordTestRangeResult<Node: NodeForm>: XDRCodable, Hashable {
    /// The id is one of the successors', who are these.
    case inRange([Node])
    /// Ask this one; these are the successors.
    case notInRange(Node, successors: [Node])
    /// Neither; another status than those two.
    case failed(ChordStatus)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        switch try reader.read(ChordStatus.self) {
        case .inRange: self = .inRange(try reader.readArray(max: NodeLimits.nodesMax))
        case .notInRange:
            self = .notInRange(try reader.read(), successors: try reader.readArray(max: NodeLimits.nodesMax))
        case let status: self = .failed(status)
        }
    }

    /// Writes the union.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .inRange(let nodes):
            try writer.write(ChordStatus.inRange)
            try writer.writeArray(nodes, max: NodeLimits.nodesMax)
        case .notInRange(let node, let successors):
            try writer.write(ChordStatus.notInRange)
            try writer.write(node)
            try writer.writeArray(successors, max: NodeLimits.nodesMax)
        case .failed(let status):
            guard status != .inRange, status != .notInRange else {
                throw XDRError(.invalid("a failure that is none"), at: writer.offset)
            }
            try writer.write(status)
        }
    }
}
