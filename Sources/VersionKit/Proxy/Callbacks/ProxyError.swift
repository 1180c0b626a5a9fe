/// What went wrong between a client and the versions behind a proxy.
///
/// Two questions decide what to do with it: whose fault it was (``side``) and whether the same request may be sent
/// again (``isRetrySafe``).
public struct ProxyError: Error, Sendable, Hashable {
    /// The kind of fault; new kinds may come, so this is not an enumeration.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// The bytes are not of the protocol.
        public static let malformed = Code(description: "malformed")
        /// A message, a line or a count is over a named limit.
        public static let limitExceeded = Code(description: "limit-exceeded")
        /// The request means nothing to the versions that run.
        public static let unsupported = Code(description: "unsupported")
        /// No version runs that could answer.
        public static let noVersion = Code(description: "no-version")
        /// A version could not be reached: nothing was sent to it, so nothing was done.
        public static let unreached = Code(description: "unreached")
        /// A version was lost before it answered, or others than it did the request: it may have been done.
        public static let fateUnknown = Code(description: "fate-unknown")
        /// A version is behind, and what it misses cannot be kept for it.
        public static let unkept = Code(description: "unkept")
    }

    /// Who has to mend it.
    public enum Side: String, Sendable, Hashable {
        case client, version, proxy
    }

    /// The kind of fault.
    public var code: Code
    /// What happened, for a person.
    public var message: String
    /// Who has to mend it.
    public var side: Side
    /// Whether the request can be sent again without being done twice.
    public var isRetrySafe: Bool

    /// An error with all its answers.
    public init(_ code: Code, _ message: String, side: Side, isRetrySafe: Bool) {
        self.code = code
        self.message = message
        self.side = side
        self.isRetrySafe = isRetrySafe
    }

    /// The client's bytes are not of the protocol: nothing was done.
    public static func malformedRequest(_ message: String) -> ProxyError {
        ProxyError(.malformed, message, side: .client, isRetrySafe: false)
    }

    /// The client went over a limit: nothing was done.
    public static func limitExceeded(_ message: String) -> ProxyError {
        ProxyError(.limitExceeded, message, side: .client, isRetrySafe: false)
    }

    /// A version's bytes are not of the protocol: what it did is unknown.
    public static func malformedReply(_ message: String) -> ProxyError {
        ProxyError(.malformed, message, side: .version, isRetrySafe: false)
    }
}

extension ProxyError: CustomStringConvertible {
    public var description: String {
        "\(message) (\(code), \(side.rawValue)'s fault, retry \(isRetrySafe ? "safe" : "not safe"))"
    }
}
