public import CFSModel
import CFSProtocol
public import NIOCore
public import ONCRPC

extension Gateway1 {
    /// A block that was found, and how: `dhash_retrieve_resok`.
    public struct Block: XDRCodable, Hashable {
        /// The block, not filled up.
        public var block: ByteBuffer
        /// What the key proves.
        public var kind: Kind
        /// Steps of the look-up.
        public var hops: Int32
        /// Nodes that failed on the way.
        public var errors: Int32
        /// How often it was tried again.
        public var retries: Int32
        /// Milliseconds that the parts of the retrieval took.
        public var times: [UInt32]
        /// The nodes on the way.
        public var path: [ChordID]

        /// A block that was found.
        public init(
            _ block: ByteBuffer, kind: Kind, hops: Int32 = 0, errors: Int32 = 0, retries: Int32 = 0,
            times: [UInt32] = [], path: [ChordID] = []
        ) {
            self.block = block
            self.kind = kind
            self.hops = hops
            self.errors = errors
            self.retries = retries
            self.times = times
            self.path = path
        }

        /// Reads the block; what is behind its length is filling.
        ///
        /// - Throws: `XDRError` if the block is shorter than its length says.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let filled = try reader.readOpaque(max: GatewayLimits.blockBytesMax)
            kind = try reader.read()
            let offset = reader.offset
            let length: UInt32 = try reader.read()
            guard let block = filled.getSlice(at: filled.readerIndex, length: Int(length)) else {
                throw XDRError(.invalid("a block shorter than its length says"), at: offset)
            }
            self.block = block
            hops = try reader.read()
            errors = try reader.read()
            retries = try reader.read()
            times = try reader.readArray(max: GatewayLimits.timesMax)
            path = try reader.readArray(max: GatewayLimits.pathMax)
        }

        /// Writes the block as the historic node does: not filled up.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeOpaque(block, max: GatewayLimits.blockBytesMax)
            try writer.write(kind)
            try writer.write(UInt32(clamping: block.readableBytes))
            try writer.write(hops)
            try writer.write(errors)
            try writer.write(retries)
            try writer.writeArray(times, max: GatewayLimits.timesMax)
            try writer.writeArray(path, max: GatewayLimits.pathMax)
        }
    }
}
