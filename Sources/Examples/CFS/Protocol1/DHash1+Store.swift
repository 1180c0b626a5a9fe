public import CFSModel
import CFSProtocol
public import NIOCore
public import ONCRPC

extension DHash1 {
    /// Why a piece is sent, `store_status`.
    public enum Purpose: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// To the first of those that keep the block.
        case store = 0
        /// To be kept for a while.
        case cache = 1
        /// A fragment.
        case fragment = 2
        /// A copy.
        case replica = 3
    }

    /// The arguments of ``store``, `s_dhash_insertarg`.
    public struct Store: XDRCodable, Hashable {
        /// The block's key.
        public var key: ChordID
        /// What it proves.
        public var kind: Kind
        /// What is sent of it.
        public var part: Part
        /// The piece.
        public var data: ByteBuffer
        /// Where it begins.
        public var offset: Int32
        /// Why it is sent.
        public var purpose: Purpose
        /// How many bytes all pieces have.
        public var size: UInt32
        /// Whether it is the last one of many; the historic comparison of trees only.
        public var isLast: Bool

        /// A piece.
        public init(
            key: ChordID, kind: Kind, part: Part, data: ByteBuffer, offset: Int32, purpose: Purpose, size: UInt32,
            isLast: Bool = false
        ) {
            self.key = key
            self.kind = kind
            self.part = part
            self.data = data
            self.offset = offset
            self.purpose = purpose
            self.size = size
            self.isLast = isLast
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            key = try reader.read()
            kind = try reader.read()
            part = try reader.read()
            data = try reader.readOpaque(max: NodeLimits1.pieceBytesMax)
            offset = try reader.read()
            purpose = try reader.read()
            size = try reader.read()
            isLast = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(key)
            try writer.write(kind)
            try writer.write(part)
            try writer.writeOpaque(data, max: NodeLimits1.pieceBytesMax)
            try writer.write(offset)
            try writer.write(purpose)
            try writer.write(size)
            try writer.write(isLast)
        }
    }

    /// The answer to ``store``, `dhash_storeres`.
    public enum StoreResult: XDRCodable, Hashable {
        /// The piece is there: whether the block was before, whether all of it is kept now, and whose answer this is.
        case stored(wasPresent: Bool, isDone: Bool, source: ChordID)
        /// Another node's: try this one.
        case retry(Node1)
        /// It is not kept; neither OK nor RETRY.
        case failed(Status)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            switch try reader.read(Status.self) {
            case .ok:
                self = .stored(wasPresent: try reader.read(), isDone: try reader.read(), source: try reader.read())
            case .retry: self = .retry(try reader.read())
            case let status: self = .failed(status)
            }
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .stored(let wasPresent, let isDone, let source):
                try writer.write(Status.ok)
                try writer.write(wasPresent)
                try writer.write(isDone)
                try writer.write(source)
            case .retry(let node):
                try writer.write(Status.retry)
                try writer.write(node)
            case .failed(let status):
                guard status != .ok, status != .retry else {
                    throw XDRError(.invalid("a failure that is none"), at: writer.offset)
                }
                try writer.write(status)
            }
        }
    }
}
