public import ONCRPC

/// What a client of a gateway wishes beyond the block itself (CFS 2004, `dhash_common.h`). Bits that are not known are kept.
public struct GatewayOptions: OptionSet, XDRCodable, Hashable {
    /// The bits.
    public var rawValue: UInt32

    /// Options by their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The client says from where on to look for the block: `guess` counts.
    public static let guessSupplied = Self(rawValue: 0x1)
    /// Do not look again if it is not found at once.
    public static let noRetryOnLookup = Self(rawValue: 0x2)
    /// A cached copy will do.
    public static let useCache = Self(rawValue: 0x4)
    /// Keep a copy.
    public static let cache = Self(rawValue: 0x8)
    /// Stop looking as soon as a list of successors says where the block is.
    public static let successorListOptimised = Self(rawValue: 0x10)
    /// The block is new: nobody has to be asked for an older one.
    public static let newBlock = Self(rawValue: 0x20)
    /// Read, change and write in one (2008).
    public static let readModifyWrite = Self(rawValue: 0x40)
    /// Do not look for the node: it is known (2008).
    public static let skipLookup = Self(rawValue: 0x80)
    /// The client says how long the block is to be kept: `expiration` counts (2008).
    public static let expirationSupplied = Self(rawValue: 0x100)

    /// Those that a gateway of 2004 knows.
    public static let of2004 = Self(rawValue: 0x3F)

    /// Reads the bits: `int`.
    public init(from reader: inout XDRReader) throws(XDRError) { self.init(rawValue: try reader.read()) }

    /// Writes the bits.
    public func write(to writer: inout XDRWriter) throws(XDRError) { try writer.write(rawValue) }
}
