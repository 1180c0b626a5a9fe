public import CFSModel
import CFSProtocol
public import ONCRPC

/// How a process of nodes is looked into and steered on its host (`lsdctl_prot.x`; program 344500, version 1).
///
/// Procedures from 100 on are ours. Procedure 2, SETTRACELEVEL, is not there: PROC_UNAVAIL.
public enum Control1 {
    /// The program.
    public static let program = RPCProgram(344_500, version: 1, name: "lsdctl")
    /// Ends the process.
    public static let exit = RPCProcedure<XDRVoid, XDRVoid>(program, 1, "EXIT")
    /// Whether the ring is looked after; answers what holds from now on.
    public static let setStabilize = RPCProcedure<Bool, Bool>(program, 3, "SETSTABILIZE", isRepeatable: true)
    /// Whether blocks are; answers what holds from now on.
    public static let setReplicate = RPCProcedure<SetReplicate, Bool>(program, 4, "SETREPLICATE", isRepeatable: true)
    /// The nodes that a virtual node, by its number, has in mind.
    public static let locationTable = RPCProcedure<Int32, Nodes>(program, 5, "GETLOCTABLE", isRepeatable: true)
    /// What was said to other nodes and by them; true: and count from zero again.
    public static let statistics = RPCProcedure<Bool, Statistics>(program, 6, "GETRPCSTATS")
    /// The virtual nodes of the process.
    public static let ownNodes = RPCProcedure<XDRVoid, Nodes>(program, 7, "GETMYIDS", isRepeatable: true)
    /// Those that follow a virtual node, by its number.
    public static let successors = RPCProcedure<Int32, Nodes>(program, 100, "GETSUCCLIST", isRepeatable: true)
    /// What is kept.
    public static let store = RPCProcedure<XDRVoid, Store>(program, 101, "GETSTORE", isRepeatable: true)
    /// Names of blocks of which something is kept.
    public static let blocks = RPCProcedure<Blocks, BlocksResult>(program, 102, "GETBLOCKS", isRepeatable: true)

    /// What this program's messages have at most.
    public enum Limits {
        /// Bytes of a host name (`chord_hostname`).
        public static let hostBytesMax = 222
        /// Coordinates of a node.
        public static let coordinatesMax = 16
        /// Nodes of one list.
        public static let nodesMax = 4096
        /// Bytes of what a statistic is called.
        public static let nameBytesMax = 256
        /// Statistics.
        public static let statisticsMax = 1024
        /// Names of blocks in one answer.
        public static let blocksMax = 1024
    }

    /// The arguments of ``setReplicate``, `lsdctl_setreplicate_arg`.
    public struct SetReplicate: XDRCodable, Hashable {
        /// Whether blocks are looked after.
        public var isEnabled: Bool
        /// Whether nodes begin at different times.
        public var isRandomized: Bool

        /// A wish.
        public init(isEnabled: Bool, isRandomized: Bool = true) {
            self.isEnabled = isEnabled
            self.isRandomized = isRandomized
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            isEnabled = try reader.read()
            isRandomized = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(isEnabled)
            try writer.write(isRandomized)
        }
    }

    /// A list of nodes, `lsdctl_nodeinfolist`.
    public struct Nodes: XDRCodable, Hashable {
        /// The nodes.
        public var nodes: [Node]

        /// A list.
        public init(_ nodes: [Node]) { self.nodes = nodes }

        /// Reads the list.
        public init(from reader: inout XDRReader) throws(XDRError) {
            nodes = try reader.readArray(max: Limits.nodesMax)
        }

        /// Writes the list.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeArray(nodes, max: Limits.nodesMax)
        }
    }

    /// The arguments of ``blocks``.
    public struct Blocks: XDRCodable, Hashable {
        /// The number of a virtual node.
        public var node: Int32
        /// What gives the blocks their names.
        public var kind: Gateway1.Kind
        /// Names behind this one only; nil: from the first one on.
        public var after: ChordID?

        /// A question.
        public init(node: Int32, kind: Gateway1.Kind, after: ChordID?) {
            self.node = node
            self.kind = kind
            self.after = after
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            node = try reader.read()
            kind = try reader.read()
            after = try reader.readOptional()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(node)
            try writer.write(kind)
            try writer.writeOptional(after)
        }
    }

    /// The answer to ``blocks``: names in ascending order, none behind the last one.
    public struct BlocksResult: XDRCodable, Hashable {
        /// The names.
        public var names: [ChordID]

        /// Names.
        public init(_ names: [ChordID]) { self.names = names }

        /// Reads the names.
        public init(from reader: inout XDRReader) throws(XDRError) {
            names = try reader.readArray(max: Limits.blocksMax)
        }

        /// Writes the names.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeArray(names, max: Limits.blocksMax)
        }
    }
}
