/// What was expected and did not happen. Any test framework shows its description.
public struct VerificationFailure: Error, Sendable, CustomStringConvertible {
    /// One or more lines for a person.
    public let description: String

    /// A failure.
    public init(_ description: String) { self.description = description }
}
