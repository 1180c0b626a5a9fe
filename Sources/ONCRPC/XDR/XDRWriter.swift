public import NIOCore

/// Writes values as XDR (RFC 4506), one behind the other.
public struct XDRWriter: Sendable {
    /// What was written.
    public private(set) var bytes: ByteBuffer

    /// How many bytes were written.
    public var offset: Int { bytes.readableBytes }

    /// A writer that has written nothing.
    public init() { bytes = ByteBuffer() }

    /// A value on its own.
    public static func bytes(of value: some XDRCodable) throws(XDRError) -> ByteBuffer {
        var writer = XDRWriter()
        try writer.write(value)
        return writer.bytes
    }

    /// Writes a value.
    public mutating func write(_ value: some XDRCodable) throws(XDRError) { try value.write(to: &self) }

    /// Writes an integer, the most significant byte first.
    public mutating func writeInteger<Number: FixedWidthInteger>(_ number: Number, as _: Number.Type = Number.self) {
        bytes.writeInteger(number)
    }

    /// Writes bytes that are XDR already.
    public mutating func writeEncoded(_ encoded: ByteBuffer) { bytes.writeImmutableBuffer(encoded) }

    /// Writes opaque data of a fixed length (RFC 4506, section 4.9) and its padding.
    ///
    /// - Throws: ``XDRError/Code/wrongLength(count:expected:)`` if it has another length.
    public mutating func writeOpaque(_ data: ByteBuffer, count: Int) throws(XDRError) {
        guard data.readableBytes == count else {
            throw XDRError(.wrongLength(count: data.readableBytes, expected: count), at: offset)
        }
        bytes.writeImmutableBuffer(data)
        bytes.writeRepeatingByte(0, count: -count & 3)
    }

    /// Writes opaque data of a variable length (RFC 4506, section 4.10).
    ///
    /// - Parameter max: the most bytes, `opaque x<max>`; `nil`: what four bytes can say.
    /// - Throws: ``XDRError/Code/tooLong(count:max:)`` if it has more.
    public mutating func writeOpaque(_ data: ByteBuffer, max: Int? = nil) throws(XDRError) {
        try writeCount(data.readableBytes, max: max)
        try writeOpaque(data, count: data.readableBytes)
    }

    /// Writes a string (RFC 4506, section 4.11).
    ///
    /// - Parameter max: the most bytes, `string x<max>`; `nil`: what four bytes can say.
    public mutating func writeString(_ text: String, max: Int? = nil) throws(XDRError) {
        try writeCount(text.utf8.count, max: max)
        bytes.writeString(text)
        bytes.writeRepeatingByte(0, count: -text.utf8.count & 3)
    }

    /// Writes an array of a variable length (RFC 4506, section 4.13).
    ///
    /// - Parameter max: the most elements, `T x<max>`; `nil`: what four bytes can say.
    public mutating func writeArray(_ elements: [some XDRCodable], max: Int? = nil) throws(XDRError) {
        try writeCount(elements.count, max: max)
        for element in elements { try write(element) }
    }

    /// Writes an array of a fixed length (RFC 4506, section 4.12).
    public mutating func writeArray(_ elements: [some XDRCodable], count: Int) throws(XDRError) {
        guard elements.count == count else {
            throw XDRError(.wrongLength(count: elements.count, expected: count), at: offset)
        }
        for element in elements { try write(element) }
    }

    /// Writes optional data (RFC 4506, section 4.19).
    public mutating func writeOptional(_ value: (some XDRCodable)?) throws(XDRError) {
        try write(value != nil)
        if let value { try write(value) }
    }

    /// Writes a linked list (RFC 4506, section 4.19), see ``XDRReader/readList(of:max:)``.
    public mutating func writeList(_ elements: [some XDRCodable]) throws(XDRError) {
        for element in elements {
            try write(true)
            try write(element)
        }
        try write(false)
    }

    private mutating func writeCount(_ count: Int, max: Int?) throws(XDRError) {
        let max = max ?? Int(UInt32.max)
        guard count <= max else { throw XDRError(.tooLong(count: count, max: max), at: offset) }
        bytes.writeInteger(UInt32(count))
    }
}
