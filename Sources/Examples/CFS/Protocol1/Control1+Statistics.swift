import CFSModel
import CFSProtocol
public import ONCRPC

extension Control1 {
    /// What was counted under one name, `lsdctl_rpcstat`.
    public struct Statistic: XDRCodable, Hashable {
        /// The procedure, or what else was counted.
        public var name: String
        /// Calls, and the bytes of their arguments.
        public var calls, callBytes: UInt64
        /// Messages sent again, and their bytes.
        public var resent, resentBytes: UInt64
        /// Replies, and the bytes of their results.
        public var replies, replyBytes: UInt64

        /// A count.
        public init(
            _ name: String, calls: UInt64 = 0, callBytes: UInt64 = 0, resent: UInt64 = 0, resentBytes: UInt64 = 0,
            replies: UInt64 = 0, replyBytes: UInt64 = 0
        ) {
            self.name = name
            self.calls = calls
            self.callBytes = callBytes
            self.resent = resent
            self.resentBytes = resentBytes
            self.replies = replies
            self.replyBytes = replyBytes
        }

        /// Reads the count.
        public init(from reader: inout XDRReader) throws(XDRError) {
            name = try reader.readString(max: Limits.nameBytesMax)
            calls = try reader.read()
            callBytes = try reader.read()
            resent = try reader.read()
            resentBytes = try reader.read()
            replies = try reader.read()
            replyBytes = try reader.read()
        }

        /// Writes the count.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeString(name, max: Limits.nameBytesMax)
            for number in [calls, callBytes, resent, resentBytes, replies, replyBytes] { try writer.write(number) }
        }
    }

    /// All that was counted, `lsdctl_rpcstatlist`.
    public struct Statistics: XDRCodable, Hashable {
        /// For how long it was counted, in microseconds.
        public var interval: UInt64
        /// The counts.
        public var all: [Statistic]

        /// Counts.
        public init(interval: UInt64, _ all: [Statistic]) {
            self.interval = interval
            self.all = all
        }

        /// Reads the counts.
        public init(from reader: inout XDRReader) throws(XDRError) {
            interval = try reader.read()
            all = try reader.readArray(max: Limits.statisticsMax)
        }

        /// Writes the counts.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(interval)
            try writer.writeArray(all, max: Limits.statisticsMax)
        }
    }

    /// The answer to ``store``.
    public struct Store: XDRCodable, Hashable {
        /// Bytes kept, and how many may be.
        public var bytes, bytesMax: UInt64
        /// How much of what is kept.
        public var fragments, signedBlocks, unsignedBlocks: UInt64

        /// What is kept.
        public init(bytes: UInt64, bytesMax: UInt64, fragments: UInt64, signedBlocks: UInt64, unsignedBlocks: UInt64) {
            self.bytes = bytes
            self.bytesMax = bytesMax
            self.fragments = fragments
            self.signedBlocks = signedBlocks
            self.unsignedBlocks = unsignedBlocks
        }

        /// Reads the numbers.
        public init(from reader: inout XDRReader) throws(XDRError) {
            bytes = try reader.read()
            bytesMax = try reader.read()
            fragments = try reader.read()
            signedBlocks = try reader.read()
            unsignedBlocks = try reader.read()
        }

        /// Writes the numbers.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            for number in [bytes, bytesMax, fragments, signedBlocks, unsignedBlocks] { try writer.write(number) }
        }
    }
}
