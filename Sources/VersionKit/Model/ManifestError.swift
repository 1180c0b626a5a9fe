/// A manifest that a node must not use: which field, what is wrong with it, how to mend it.
public struct ManifestError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of mistake it is.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// A number, a list or a text is outside its bounds.
        public static let outOfBounds = Code(description: "out of bounds")
        /// A path is relative, leads upwards or holds characters that no path should.
        public static let badPath = Code(description: "bad path")
        /// The same thing is said twice, or two fields contradict each other.
        public static let conflict = Code(description: "conflict")
        /// The manifest asks for something that this version of VersionKit does not know.
        public static let unsupported = Code(description: "unsupported")

        /// The code in words.
        public let description: String
    }

    /// What kind of mistake it is.
    public let code: Code
    /// The field, as it is written in the JSON form: `ports.client[1]`.
    public let field: String
    /// What is wrong.
    public let problem: String
    /// How to mend it.
    public let remedy: String

    /// All of it in one sentence.
    public var description: String { "\(field): \(problem); \(remedy)" }

    init(_ code: Code, _ field: String, _ problem: String, remedy: String) {
        self.code = code
        self.field = field
        self.problem = problem
        self.remedy = remedy
    }
}
