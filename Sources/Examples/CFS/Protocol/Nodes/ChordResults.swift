public import CFSModel
public import ONCRPC

/// How a question ended, `chordstat`.
public enum ChordStatus: UInt32, XDREnumeration, Hashable, CaseIterable {
    /// Well.
    case ok = 0
    /// There is nobody to name.
    case noEntry = 1
    /// A node that had to be asked did not answer.
    case unreachable = 2
    /// The id is one of the successors'.
    case inRange = 3
    /// It is not.
    case notInRange = 4
    /// Nobody handles the upcall.
    case noHandler = 5
    /// The upcall said that this is enough.
    case stopped = 6
}

/// A node, or none, `chord_noderes`.
public enum ChordNodeResult<Node: NodeForm>: XDRCodable, Hashable {
    /// This one.
    case node(Node)
    /// None; never OK.
    case failed(ChordStatus)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let status: ChordStatus = try reader.read()
        self = status == .ok ? .node(try reader.read()) : .failed(status)
    }

    /// Writes the union.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .node(let node):
            try writer.write(ChordStatus.ok)
            try writer.write(node)
        case .failed(let status): try writer.write(failure: status)
        }
    }
}

/// Nodes, or none, `chord_nodelistres`.
public enum ChordNodesResult<Node: NodeForm>: XDRCodable, Hashable {
    /// These.
    case nodes([Node])
    /// None; never OK.
    case failed(ChordStatus)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let status: ChordStatus = try reader.read()
        self = status == .ok ? .nodes(try reader.readArray(max: NodeLimits.nodesMax)) : .failed(status)
    }

    /// Writes the union.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .nodes(let nodes):
            try writer.write(ChordStatus.ok)
            try writer.writeArray(nodes, max: NodeLimits.nodesMax)
        case .failed(let status): try writer.write(failure: status)
        }
    }
}

/// What FINDROUTE takes, `chord_findarg`.
public struct ChordFindRoute: XDRCodable, Hashable {
    /// The way to where.
    public var id: ChordID
    /// Whether its successors are to come first.
    public var withSuccessors: Bool

    /// A question.
    public init(_ id: ChordID, withSuccessors: Bool) {
        self.id = id
        self.withSuccessors = withSuccessors
    }

    /// Reads the arguments.
    public init(from reader: inout XDRReader) throws(XDRError) {
        id = try reader.read()
        withSuccessors = try reader.read()
    }

    /// Writes the arguments.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(id)
        try writer.write(withSuccessors)
    }
}

extension XDRWriter {
    fileprivate mutating func write(failure status: ChordStatus) throws(XDRError) {
        guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: offset) }
        try write(status)
    }
}
