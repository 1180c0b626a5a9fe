public import CFSModel
import CFSProtocol
public import NIOCore
public import ONCRPC

extension DHash2 {
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
        /// None: the sender lacks it.
        case missing = 4
    }

    /// The arguments of ``store``, `s_dhash_insertarg`.
    public struct Store: XDRCodable, Hashable {
        /// The block's key.
        public var key: ChordID
        /// What it proves.
        public var kind: Kind
        /// The piece.
        public var data: ByteBuffer
        /// Where it begins.
        public var offset: Int32
        /// Why it is sent.
        public var purpose: Purpose
        /// How many bytes all pieces have.
        public var size: UInt32
        /// Until when it is to be kept, in seconds since 1970; 0: for ever.
        public var expiration: UInt32
        /// What a call back belongs to; 0: it is none.
        public var nonce: Int32

        /// A piece.
        public init(
            key: ChordID, kind: Kind, data: ByteBuffer, offset: Int32, purpose: Purpose, size: UInt32,
            expiration: UInt32, nonce: Int32 = 0
        ) {
            self.key = key
            self.kind = kind
            self.data = data
            self.offset = offset
            self.purpose = purpose
            self.size = size
            self.expiration = expiration
            self.nonce = nonce
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            key = try reader.read()
            kind = try reader.read()
            data = try reader.readOpaque(max: NodeLimits.pieceBytesMax)
            offset = try reader.read()
            purpose = try reader.read()
            size = try reader.read()
            expiration = try reader.read()
            nonce = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(key)
            try writer.write(kind)
            try writer.writeOpaque(data, max: NodeLimits.pieceBytesMax)
            try writer.write(offset)
            try writer.write(purpose)
            try writer.write(size)
            try writer.write(expiration)
            try writer.write(nonce)
        }
    }

    /// The answer to ``store``, `dhash_storeres`.
    public enum StoreResult: XDRCodable, Hashable {
        /// The piece is there: whether the block was before, whether all of it is kept now, and whose answer this is.
        case stored(wasPresent: Bool, isDone: Bool, source: ChordID)
        /// Another node's: try this one.
        case retry(Node2)
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
