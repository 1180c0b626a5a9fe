/// What of some bytes is not the XDR that was asked for, or what cannot be written as XDR, and where.
public struct XDRError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Code: Hashable, Sendable {
        /// The value needs so many bytes, and fewer are left.
        case truncated(needed: Int, left: Int)
        /// Opaque data, a string, an array or a list has more bytes or elements than it may have here.
        case tooLong(count: Int, max: Int)
        /// Opaque data whose type fixes the length has another one. Only writing throws it.
        case wrongLength(count: Int, expected: Int)
        /// The bytes that fill opaque data up to a multiple of four are not zero (RFC 4506, section 3).
        case padding
        /// Neither 0 nor 1 (RFC 4506, section 4.4).
        case notBoolean(UInt32)
        /// No case of this enumeration or union has this number.
        case unknownCase(type: String, number: UInt32)
        /// A string that is not UTF-8.
        case notText
        /// Values lie within each other more than so many times.
        case tooDeep(max: Int)
        /// The value ended before the bytes did, so many of which are left.
        case trailingBytes(Int)
        /// Well-formed, but not a value of the type; the sentence says why.
        case invalid(String)
    }

    /// What is wrong.
    public var code: Code
    /// Where: bytes from the beginning of what is read or written.
    public var offset: Int

    /// An error at a place.
    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// One sentence.
    public var description: String { "\(what) at byte \(offset)" }

    private var what: String {
        switch code {
        case .truncated(let needed, let left): "\(needed) bytes expected, \(left) left"
        case .tooLong(let count, let max): "a length of \(count) where \(max) is the most"
        case .wrongLength(let count, let expected): "\(count) bytes where there must be \(expected)"
        case .padding: "padding that is not zero"
        case .notBoolean(let number): "\(number) is neither false nor true"
        case .unknownCase(let type, let number): "\(type) has no case \(number)"
        case .notText: "a string that is not UTF-8"
        case .tooDeep(let max): "values nested more than \(max) deep"
        case .trailingBytes(let count): "\(count) bytes behind the end"
        case .invalid(let why): why
        }
    }
}
