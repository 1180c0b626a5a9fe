/// What went wrong with a release: what happened, whose fault it was, whether to try again, and what to do.
public struct ReleaseError: Error, Sendable, CustomStringConvertible {
    /// The kind of fault; new kinds may come, so this is not an enumeration.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The bytes are not what they should be: not JSON, not a signature file, not a sound manifest.
        public static let malformed = Code(description: "malformed")
        /// Something is over a named limit.
        public static let limitExceeded = Code(description: "limit-exceeded")
        /// Nobody whom this node trusts signed the manifest.
        public static let unknownKey = Code(description: "unknown-key")
        /// A signature does not belong to the manifest.
        public static let badSignature = Code(description: "bad-signature")
        /// Fewer of the known keys signed than have to.
        public static let thresholdNotReached = Code(description: "threshold-not-reached")
        /// A document, or a release, does not count any more.
        public static let expired = Code(description: "expired")
        /// The publishers took the version back.
        public static let withdrawn = Code(description: "withdrawn")
        /// The publishers do not offer this release.
        public static let notOffered = Code(description: "not-offered")
        /// A root or a channel is older than the one that is here.
        public static let olderDocument = Code(description: "older-document")
        /// A root in between is missing.
        public static let gap = Code(description: "gap")
        /// The release is one of another application.
        public static let otherApplication = Code(description: "other-application")
        /// The release is older than what runs.
        public static let olderVersion = Code(description: "older-version")
        /// The release is the version that runs already.
        public static let sameVersion = Code(description: "same-version")
        /// A layer's bytes do not have the digest that the manifest promises.
        public static let wrongDigest = Code(description: "wrong-digest")
        /// A layer is longer or shorter than the manifest promises.
        public static let wrongSize = Code(description: "wrong-size")
        /// A layer would write outside its directory or hold things that no layer may.
        public static let unsafeLayer = Code(description: "unsafe-layer")
        /// A file, a layer or a release is not there.
        public static let notFound = Code(description: "not-found")
        /// Something else stands where this should go.
        public static let conflict = Code(description: "conflict")
        /// The developer's description of a release has a mistake.
        public static let badDescription = Code(description: "bad-description")
        /// A key, in a file or as text, cannot be used.
        public static let badKey = Code(description: "bad-key")
        /// A command could not be run, or failed.
        public static let commandFailed = Code(description: "command-failed")
        /// The operating system refused.
        public static let system = Code(description: "system")

        /// The code as a word, for logs and metrics.
        public let description: String
    }

    /// Who has to mend it.
    public struct Side: Sendable, Hashable, CustomStringConvertible {
        /// Who made or signed the release.
        public static let publisher = Side(description: "publisher")
        /// The node that the bytes came from.
        public static let peer = Side(description: "peer")
        /// This node: its disk, its settings, its operator.
        public static let node = Side(description: "node")

        /// The side as a word.
        public let description: String
    }

    /// The kind of fault.
    public let code: Code
    /// What happened, for a person.
    public let message: String
    /// Who has to mend it.
    public let side: Side
    /// Whether the same thing may be tried again, from the same or another source, with hope and without harm.
    public let isRetrySafe: Bool
    /// What to do about it.
    public let remedy: String?

    /// An error with all its answers.
    public init(_ code: Code, _ message: String, side: Side, isRetrySafe: Bool = false, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.side = side
        self.isRetrySafe = isRetrySafe
        self.remedy = remedy
    }

    /// What happened and what to do.
    public var description: String {
        guard let remedy else { return message }
        return "\(message): \(remedy)"
    }
}
