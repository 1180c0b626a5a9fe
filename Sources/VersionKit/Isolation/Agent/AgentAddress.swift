public import VersionKitModel

/// Where the agent of an environment listens.
public enum AgentAddress: Sendable, Hashable, Codable {
    /// A Unix socket of the node.
    case unix(path: String)
    /// A port of the environment, over its private link. Only the node is answered, from a port below 1024.
    case tcp(Endpoint)

    /// The port of agents on private links. A program without privileges cannot take it.
    public static let port: UInt16 = 1
}
