public import ONCRPC
import NIOCore

/// The name of a file within its directory: 1 to 255 bytes, neither a slash nor a zero among them.
///
/// Names are bytes, as on the disk they come from, and in the order of `strcmp`.
public struct FileName: Hashable, Sendable {
    /// The bytes.
    public let bytes: [UInt8]

    /// A name; nil if no file can have it.
    public init?(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        guard (1...CFSFileLimits.nameBytes).contains(self.bytes.count),
            !self.bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
        else { return nil }
    }

    /// A name; nil if no file can have it.
    public init?(_ text: String) { self.init(text.utf8) }

    private init(dots: Int) { bytes = Array(repeating: UInt8(ascii: "."), count: dots) }

    /// `.`: the directory itself.
    public static let itself = Self(dots: 1)
    /// `..`: the directory above.
    public static let parent = Self(dots: 2)

    /// Whether it is `.` or `..`: every directory has these.
    public var isSpecial: Bool { self == .itself || self == .parent }
}

extension FileName: Comparable {
    public static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension FileName: CustomStringConvertible {
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension FileName: XDRCodable {
    /// Reads a string of bytes.
    ///
    /// - Throws: `XDRError` if no file can have that name.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        guard let name = Self(try reader.readOpaque(max: CFSFileLimits.nameBytes).readableBytesView) else {
            throw XDRError(.invalid("a name that no file can have"), at: offset)
        }
        self = name
    }

    /// Writes the bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeOpaque(ByteBuffer(bytes: bytes), max: CFSFileLimits.nameBytes)
    }
}
