/// Where the spread of a release that begins on some nodes first stands, as far as one node knows.
public struct SpreadStatus: Codable, Sendable, Equatable {
    /// What a node does with the release.
    public enum Role: String, Codable, Sendable {
        /// It tries it out, and keeps the old version.
        case canary
        /// It waits for those who try it out.
        case waiting
        /// The release proved to be good.
        case promoted
        /// The release proved to be bad.
        case withdrawn
    }

    /// What the node does with the release.
    public var role: Role
    /// How many nodes vouch for it, and how many have to; `nil` once that is decided.
    public var vouched: Int?
    /// See ``vouched``.
    public var needed: Int?
    /// Why it was withdrawn, and by whom.
    public var reason: String?

    /// A status.
    public init(_ role: Role, vouched: Int? = nil, needed: Int? = nil, reason: String? = nil) {
        self.role = role
        self.vouched = vouched
        self.needed = needed
        self.reason = reason
    }
}
