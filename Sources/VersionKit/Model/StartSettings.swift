/// What a version is started with beside its command.
public struct StartSettings: Codable, Sendable, Hashable {
    /// A user inside an environment. What that is on the node is the environment's business.
    public struct User: Codable, Sendable, Hashable {
        /// The one that versions are if nobody says otherwise. It has no privileges there.
        public static let root = User(id: 0, group: 0)

        /// The user's number.
        public var id: UInt32
        /// The number of its only group.
        public var group: UInt32

        /// A user with these numbers.
        public init(id: UInt32, group: UInt32) { (self.id, self.group) = (id, group) }

        /// Whether it is both root and of root's group.
        public var isRoot: Bool { self == .root }
    }

    /// Variables of its environment, `NAME=value`. They hide those of the same name that every program has inside.
    public var environment: [String]
    /// The directory that it starts in, made if it can be; `nil`: `/`.
    public var workingDirectory: String?
    /// Whom it runs as.
    public var user: User

    /// Settings; by default those that a version has without any.
    public init(environment: [String] = [], workingDirectory: String? = nil, user: User = .root) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
    }
}
