/// What a server refused, or why no answer came.
public struct IrisLogError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of refusal; the raw value is the word of the text protocol.
    public enum Code: String, Sendable, CaseIterable {
        /// The request is not part of the protocol.
        case syntax
        /// The XPath expression is malformed or cannot be evaluated.
        case query
        /// Another host owns the element; the message is its address.
        case notOwner = "not-owner"
        /// A named limit would be exceeded.
        case limit
        /// The server could not do what it should.
        case `internal`
        /// No usable answer came: only ever thrown locally, never sent.
        case unreachable
    }

    /// The kind of refusal.
    public let code: Code
    /// A sentence for people (for `notOwner`: the owner's address).
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Code and message in one line.
    public var description: String { "\(code.rawValue): \(message)" }
}
