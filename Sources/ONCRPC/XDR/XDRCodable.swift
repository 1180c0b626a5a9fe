/// A value that is read from and written as XDR (RFC 4506), by hand: a type lists its parts in their order.
///
/// ```swift
/// struct Mount: XDRCodable {
///     var path: String
///     var isReadOnly: Bool
///
///     init(from reader: inout XDRReader) throws(XDRError) {
///         path = try reader.readString(max: 1024)
///         isReadOnly = try reader.read()
///     }
///
///     func write(to writer: inout XDRWriter) throws(XDRError) {
///         try writer.writeString(path, max: 1024)
///         try writer.write(isReadOnly)
///     }
/// }
/// ```
public protocol XDRCodable: Sendable {
    /// Reads the value from where the reader stands, and leaves the reader behind it.
    ///
    /// Implementations bound what they read: by `max` where the protocol declares one, by the reader's limits elsewhere;
    /// a type that may contain itself reads that part in ``XDRReader/nested(_:)``.
    init(from reader: inout XDRReader) throws(XDRError)

    /// Writes the value; what ``init(from:)`` reads back as an equal one.
    ///
    /// - Throws: `XDRError` if a part is longer than the protocol allows.
    func write(to writer: inout XDRWriter) throws(XDRError)
}

/// A procedure's `void`: no bytes.
public struct XDRVoid: XDRCodable, Hashable {
    /// Nothing.
    public init() {}

    /// Reads nothing.
    public init(from reader: inout XDRReader) throws(XDRError) {}

    /// Writes nothing.
    public func write(to writer: inout XDRWriter) throws(XDRError) {}
}

/// `int` (RFC 4506, section 4.1).
extension Int32: XDRCodable {
    /// Reads four bytes, the most significant one first.
    public init(from reader: inout XDRReader) throws(XDRError) { self = try reader.readInteger() }

    /// Writes four bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(self) }
}

/// `unsigned int` (RFC 4506, section 4.2).
extension UInt32: XDRCodable {
    /// Reads four bytes, the most significant one first.
    public init(from reader: inout XDRReader) throws(XDRError) { self = try reader.readInteger() }

    /// Writes four bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(self) }
}

/// `hyper` (RFC 4506, section 4.5).
extension Int64: XDRCodable {
    /// Reads eight bytes, the most significant one first.
    public init(from reader: inout XDRReader) throws(XDRError) { self = try reader.readInteger() }

    /// Writes eight bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(self) }
}

/// `unsigned hyper` (RFC 4506, section 4.5).
extension UInt64: XDRCodable {
    /// Reads eight bytes, the most significant one first.
    public init(from reader: inout XDRReader) throws(XDRError) { self = try reader.readInteger() }

    /// Writes eight bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(self) }
}

/// `bool` (RFC 4506, section 4.4).
extension Bool: XDRCodable {
    /// Reads 0 or 1 in four bytes; everything else is an error.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        switch try reader.readInteger(UInt32.self) {
        case 0: self = false
        case 1: self = true
        case let number: throw XDRError(.notBoolean(number), at: offset)
        }
    }

    /// Writes 0 or 1 in four bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        writer.writeInteger(self ? 1 : 0, as: UInt32.self)
    }
}

/// `float` (RFC 4506, section 4.6).
extension Float: XDRCodable {
    /// Reads the four bytes of IEEE 754's single precision.
    public init(from reader: inout XDRReader) throws(XDRError) { self.init(bitPattern: try reader.readInteger()) }

    /// Writes four bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(bitPattern) }
}

/// `double` (RFC 4506, section 4.7).
extension Double: XDRCodable {
    /// Reads the eight bytes of IEEE 754's double precision.
    public init(from reader: inout XDRReader) throws(XDRError) { self.init(bitPattern: try reader.readInteger()) }

    /// Writes eight bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(bitPattern) }
}
