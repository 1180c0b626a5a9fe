public import CFSModel
import CFSProtocol
public import NIOCore
public import ONCRPC

/// What nodes of 2004 ask each other about blocks (`dhash_prot.x`; program 344449, version 1). Wrapped in ``Transport1``.
///
/// Procedure 2, FETCHREC, belongs to recursive routing, which is not the way of this generation: PROC_UNAVAIL.
public enum DHash1 {
    /// The program.
    public static let program = RPCProgram(344_449, version: 1, name: "dhash (2004)")
    /// Keep a piece.
    public static let store = RPCProcedure<Store, StoreResult>(program, 1, "STORE", isRepeatable: true)
    /// Give a piece.
    public static let fetch = RPCProcedure<Fetch, FetchResult>(program, 3, "FETCHITER", isRepeatable: true)
    /// Which fragments do you want?
    public static let offer = RPCProcedure<Offer, OfferResult>(program, 4, "OFFER", isRepeatable: true)

    /// How a question ended, `dhash_stat`: the gateway's are the same.
    public typealias Status = Gateway1.Status
    /// What a block's key proves, `dhash_ctype`: the gateway's are the same.
    public typealias Kind = Gateway1.Kind

    /// What is kept of a block, `dhash_dbtype`.
    public enum Part: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// All of it.
        case block = 0
        /// A fragment.
        case fragment = 1
    }

    /// The arguments of ``fetch``, `s_dhash_fetch_arg`.
    public struct Fetch: XDRCodable, Hashable {
        /// The block's key.
        public var key: ChordID
        /// What it proves.
        public var kind: Kind
        /// What is wanted of it.
        public var part: Part
        /// Where the piece begins, how many bytes it has at most, and what came with the first piece.
        public var start, length, cookie: Int32

        /// A question.
        public init(key: ChordID, kind: Kind, part: Part, start: Int32, length: Int32, cookie: Int32) {
            self.key = key
            self.kind = kind
            self.part = part
            self.start = start
            self.length = length
            self.cookie = cookie
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            key = try reader.read()
            kind = try reader.read()
            part = try reader.read()
            start = try reader.read()
            length = try reader.read()
            cookie = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(key)
            try writer.write(kind)
            try writer.write(part)
            for number in [start, length, cookie] { try writer.write(number) }
        }
    }

    /// A piece of what a node keeps, `dhash_fetchiter_complete_res`.
    public struct Piece: XDRCodable, Hashable {
        /// The bytes.
        public var data: ByteBuffer
        /// Where they begin.
        public var offset: Int32
        /// How many all pieces have.
        public var size: UInt32
        /// The node that has it.
        public var source: ChordID
        /// Another one for other bytes.
        public var cookie: Int32

        /// A piece.
        public init(_ data: ByteBuffer, offset: Int32, size: UInt32, source: ChordID, cookie: Int32) {
            self.data = data
            self.offset = offset
            self.size = size
            self.source = source
            self.cookie = cookie
        }

        /// Reads the piece.
        public init(from reader: inout XDRReader) throws(XDRError) {
            data = try reader.readOpaque(max: NodeLimits1.pieceBytesMax)
            offset = try reader.read()
            size = try reader.read()
            source = try reader.read()
            cookie = try reader.read()
        }

        /// Writes the piece.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeOpaque(data, max: NodeLimits1.pieceBytesMax)
            try writer.write(offset)
            try writer.write(size)
            try writer.write(source)
            try writer.write(cookie)
        }
    }

    /// The answer to ``fetch``, `dhash_fetchiter_res`.
    public enum FetchResult: XDRCodable, Hashable {
        /// The piece.
        case piece(Piece)
        /// None; never COMPLETE.
        case failed(Status)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let status: Status = try reader.read()
            self = status == .complete ? .piece(try reader.read()) : .failed(status)
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .piece(let piece):
                try writer.write(Status.complete)
                try writer.write(piece)
            case .failed(let status):
                guard status != .complete else { throw XDRError(.invalid("a failure that is none"), at: writer.offset) }
                try writer.write(status)
            }
        }
    }
}
