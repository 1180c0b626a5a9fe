public import NIOCore

/// Reads values of XDR (RFC 4506) one after the other from bytes that somebody else sent.
///
/// No length is believed before so many bytes are there, and what is read shares the bytes' storage. A value with one
/// owner; after an error it stands somewhere within the value that could not be read.
public struct XDRReader: Sendable {
    /// What is accepted where a type has no limit of its own.
    public let limits: XDRLimits

    private var bytes: ByteBuffer
    private let count: Int
    private var depth = 0

    /// A reader at the beginning of these bytes.
    public init(_ bytes: ByteBuffer, limits: XDRLimits = .standard) {
        self.bytes = bytes
        self.limits = limits
        count = bytes.readableBytes
    }

    /// How many bytes were read.
    public var offset: Int { count - bytes.readableBytes }

    /// How many bytes are left.
    public var remainingBytes: Int { bytes.readableBytes }

    /// All that is left, unread.
    public var rest: ByteBuffer { bytes }

    /// The next value.
    public mutating func read<Value: XDRCodable>(_: Value.Type = Value.self) throws(XDRError) -> Value {
        try Value(from: &self)
    }

    /// A value that has to be all there is.
    ///
    /// - Throws: `XDRError`; ``XDRError/Code/trailingBytes(_:)`` if there is more.
    public static func readAll<Value: XDRCodable>(
        _ bytes: ByteBuffer, as _: Value.Type = Value.self, limits: XDRLimits = .standard
    ) throws(XDRError) -> Value {
        var reader = XDRReader(bytes, limits: limits)
        let value: Value = try reader.read()
        try reader.requireEnd()
        return value
    }

    /// An integer, the most significant byte first.
    public mutating func readInteger<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(XDRError) -> Number
    {
        guard let number: Number = bytes.readInteger() else { throw truncated(MemoryLayout<Number>.size) }
        return number
    }

    /// Opaque data of a fixed length (RFC 4506, section 4.9), without its padding.
    public mutating func readOpaque(count: Int) throws(XDRError) -> ByteBuffer {
        guard let data = bytes.readSlice(length: count) else { throw truncated(count) }
        let padding = -count & 3
        let offset = offset
        guard let filling = bytes.readSlice(length: padding) else { throw truncated(padding) }
        guard filling.readableBytesView.allSatisfy({ $0 == 0 }) else { throw XDRError(.padding, at: offset) }
        return data
    }

    /// Opaque data of a variable length (RFC 4506, section 4.10), without its padding.
    ///
    /// - Parameter max: the most bytes, `opaque x<max>`; `nil`: the reader's limit.
    public mutating func readOpaque(max: Int? = nil) throws(XDRError) -> ByteBuffer {
        try readOpaque(count: try readCount(max: max ?? limits.opaqueBytesMax))
    }

    /// A string (RFC 4506, section 4.11), which has to be UTF-8: the RFC's ASCII is. Names that may be other bytes are read
    /// by ``readOpaque(max:)``.
    ///
    /// - Parameter max: the most bytes, `string x<max>`; `nil`: the reader's limit.
    public mutating func readString(max: Int? = nil) throws(XDRError) -> String {
        let offset = offset
        let data = try readOpaque(max: max)
        guard let text = String(validating: data.readableBytesView, as: UTF8.self) else {
            throw XDRError(.notText, at: offset + 4)
        }
        return text
    }

    /// An array of a variable length (RFC 4506, section 4.13).
    ///
    /// - Parameter max: the most elements, `T x<max>`; `nil`: the reader's limit.
    public mutating func readArray<Element: XDRCodable>(
        of _: Element.Type = Element.self, max: Int? = nil
    ) throws(XDRError) -> [Element] {
        try readArray(count: try readCount(max: max ?? limits.elementsMax))
    }

    /// An array of a fixed length (RFC 4506, section 4.12).
    public mutating func readArray<Element: XDRCodable>(
        of _: Element.Type = Element.self, count: Int
    ) throws(XDRError) -> [Element] {
        var elements: [Element] = []
        // No element but `void` has fewer than four bytes: a false count reserves no more than what came.
        elements.reserveCapacity(min(count, bytes.readableBytes / 4))
        for _ in 0..<count { elements.append(try read()) }
        return elements
    }

    /// Optional data, `T *x` (RFC 4506, section 4.19).
    public mutating func readOptional<Value: XDRCodable>(_: Value.Type = Value.self) throws(XDRError) -> Value? {
        try read(Bool.self) ? try read() : nil
    }

    /// A linked list: a structure whose last part is the optional next one (RFC 4506, section 4.19), read without
    /// recursion. `Element` is the structure without that part.
    ///
    /// - Parameter max: the most elements; `nil`: the reader's limit.
    public mutating func readList<Element: XDRCodable>(
        of _: Element.Type = Element.self, max: Int? = nil
    ) throws(XDRError) -> [Element] {
        let max = max ?? limits.elementsMax
        var elements: [Element] = []
        while true {
            let offset = offset
            guard try read(Bool.self) else { return elements }
            guard elements.count < max else {
                throw XDRError(.tooLong(count: elements.count + 1, max: max), at: offset)
            }
            elements.append(try read())
        }
    }

    /// Reads a part of a type that may contain itself, one level deeper.
    ///
    /// - Throws: `XDRError`; ``XDRError/Code/tooDeep(max:)`` below ``XDRLimits/depthMax`` levels.
    public mutating func nested<Value>(
        _ body: (inout XDRReader) throws(XDRError) -> Value
    ) throws(XDRError) -> Value {
        guard depth < limits.depthMax else { throw XDRError(.tooDeep(max: limits.depthMax), at: offset) }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Nothing may be left.
    public func requireEnd() throws(XDRError) {
        guard bytes.readableBytes == 0 else { throw XDRError(.trailingBytes(bytes.readableBytes), at: offset) }
    }

    private mutating func readCount(max: Int) throws(XDRError) -> Int {
        let offset = offset
        let count = Int(try readInteger(UInt32.self))
        guard count <= max else { throw XDRError(.tooLong(count: count, max: max), at: offset) }
        return count
    }

    private func truncated(_ needed: Int) -> XDRError {
        XDRError(.truncated(needed: needed, left: bytes.readableBytes), at: offset)
    }
}
