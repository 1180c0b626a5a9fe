public import CFSModel
import CFSProtocol
public import NIOCore
public import ONCRPC

/// How nodes of 2008 pass questions on (`recroute_prot.x`; program 344460, version 1). Wrapped in ``Transport2``.
///
/// Procedure 3, PENULTIMATE, is not made use of: PROC_UNAVAIL.
public enum Recroute2 {
    /// The program.
    public static let program = RPCProgram(344_460, version: 1, name: "recroute (2008)")
    /// Take a question on.
    public static let route = RPCProcedure<Question, Acceptance>(program, 1, "ROUTE", isRepeatable: true)
    /// A question came to its end.
    public static let complete = RPCProcedure<End, XDRVoid>(program, 2, "COMPLETE", isRepeatable: true)

    /// Whether a node passes a question on, `recroute_route_stat`.
    public enum Acceptance: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// It does.
        case accepted = 0
        /// It does not.
        case rejected = 1
    }

    /// The arguments of ``route``, `recroute_route_arg`.
    public struct Question: XDRCodable, Hashable {
        /// What its origin calls it.
        public var number: UInt32
        /// Where the end is to be told.
        public var origin: Node2
        /// The id that is looked for.
        public var target: ChordID
        /// How many successors are enough; 0: all that its predecessor knows.
        public var wanted: UInt32
        /// A question to the layer above, 0 and nothing for none.
        public var upcallProgram, upcallProcedure: UInt32
        /// The arguments of that question.
        public var upcallArguments: ByteBuffer
        /// Nodes that did not take it.
        public var retries: UInt32
        /// Those who had it.
        public var path: [Node2]

        /// A question without an upcall.
        public init(
            number: UInt32, origin: ChordNode, target: ChordID, wanted: UInt32, retries: UInt32, path: [ChordNode]
        ) {
            self.number = number
            self.origin = Node2(origin)
            self.target = target
            self.wanted = wanted
            (upcallProgram, upcallProcedure, upcallArguments) = (0, 0, ByteBuffer())
            self.retries = retries
            self.path = path.map { Node2($0) }
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            number = try reader.read()
            origin = try reader.read()
            target = try reader.read()
            wanted = try reader.read()
            upcallProgram = try reader.read()
            upcallProcedure = try reader.read()
            upcallArguments = try reader.readOpaque(max: NodeLimits.messageBytesMax)
            retries = try reader.read()
            path = try reader.readArray(max: CFSLimits.routeHops + 1)
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(number)
            try writer.write(origin)
            try writer.write(target)
            try writer.write(wanted)
            try writer.write(upcallProgram)
            try writer.write(upcallProcedure)
            try writer.writeOpaque(upcallArguments, max: NodeLimits.messageBytesMax)
            try writer.write(retries)
            try writer.writeArray(path, max: CFSLimits.routeHops + 1)
        }
    }

    /// The arguments of ``complete``, `recroute_complete_arg`.
    public struct End: XDRCodable, Hashable {
        /// The question's number.
        public var number: UInt32
        /// Those who had it.
        public var path: [Node2]
        /// Nodes that did not take it.
        public var retries: UInt32
        /// What was found, `recroute_complete_res`.
        public var outcome: Outcome

        /// An end.
        public init(number: UInt32, path: [ChordNode], retries: UInt32, outcome: Outcome) {
            self.number = number
            self.path = path.map { Node2($0) }
            self.retries = retries
            self.outcome = outcome
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            number = try reader.read()
            path = try reader.readArray(max: CFSLimits.routeHops + 1)
            retries = try reader.read()
            outcome = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(number)
            try writer.writeArray(path, max: CFSLimits.routeHops + 1)
            try writer.write(retries)
            try writer.write(outcome)
        }
    }

    /// How a question ended.
    public enum Outcome: XDRCodable, Hashable {
        /// The successors of the id.
        case found([Node2])
        /// Nobody took it: the last one that was tried, and why, by a number of its own.
        case failed(Node2, status: UInt32)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let offset = reader.offset
            switch try reader.read(UInt32.self) {
            case 0: self = .found(try reader.readArray(max: NodeLimits.nodesMax))
            case 1: self = .failed(try reader.read(), status: try reader.read())
            default: throw XDRError(.invalid("an end of no kind"), at: offset)
            }
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .found(let successors):
                try writer.write(UInt32(0))
                try writer.writeArray(successors, max: NodeLimits.nodesMax)
            case .failed(let node, let status):
                try writer.write(UInt32(1))
                try writer.write(node)
                try writer.write(status)
            }
        }
    }
}
