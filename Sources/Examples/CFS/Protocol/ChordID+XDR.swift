public import CFSModel
import NIOCore
public import ONCRPC

/// A `chordID` on the wire: the historic `bigint`, which is opaque data of variable length with the bytes of a number, the
/// most significant one first (CFS 2004).
///
/// A zero byte comes first where the number would else look negative, then so many more that their count is a multiple
/// of four; zero itself has no bytes. Ids take 20 or 24 bytes, and their length.
extension ChordID: XDRCodable {
    /// The most bytes of an id: 160 bits, and a zero in front that keeps them from being negative, in fours.
    static let wireBytesMax = 24

    /// Reads an id, with as many zeros in front as there are.
    ///
    /// - Throws: `XDRError` if the number is negative or has more than 160 bits.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        let bytes = try reader.readOpaque(max: Self.wireBytesMax).readableBytesView
        guard (bytes.first ?? 0) < 0x80 else { throw XDRError(.invalid("an id below zero"), at: offset) }
        guard let id = Self(bigEndian: bytes) else {
            throw XDRError(.invalid("an id of more than 160 bits"), at: offset)
        }
        self = id
    }

    /// Writes the id as short as it may be.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        let digits = bytes.drop { $0 == 0 }
        let isNegative = (digits.first ?? 0) >= 0x80
        let count = (digits.count + (isNegative ? 1 : 0) + 3) / 4 * 4
        var magnitude = ByteBuffer(repeating: 0, count: count - digits.count)
        magnitude.writeBytes(digits)
        try writer.writeOpaque(magnitude, max: Self.wireBytesMax)
    }
}
