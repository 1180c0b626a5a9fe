/// Why a process of nodes does not start.
public enum NodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is none that other nodes could reach, or that ids could follow from.
    case badAddress(String)
    /// So many virtual nodes cannot be.
    case badVirtualNodes(Int)
    /// The process to join has no IPv4 address.
    case unknownBootstrap(String)
    /// A socket cannot be bound.
    case unbound(String, why: String)

    /// One sentence.
    public var description: String {
        switch self {
        case .badAddress(let address): "\(address) is no IPv4 address and port that a node can have"
        case .badVirtualNodes(let count): "\(count) virtual nodes, where 1 to 1024 can be"
        case .unknownBootstrap(let host): "\(host) has no IPv4 address"
        case .unbound(let address, let why): "\(address) cannot be bound: \(why)"
        }
    }
}
