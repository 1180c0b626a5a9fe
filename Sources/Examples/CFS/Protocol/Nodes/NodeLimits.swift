/// What messages between nodes have at most where the protocol says nothing.
public enum NodeLimits {
    /// Bytes of arguments or results within the transport program: less than a datagram has.
    public static let messageBytesMax = 60_000
    /// Nodes in one list: the neighbours on one side, fingers, or the way of a look-up with successors.
    public static let nodesMax = 1024
    /// Ids of failed nodes in one question.
    public static let failedNodesMax = 1024
    /// Bytes of one piece of a block. The nodes send 1210.
    public static let pieceBytesMax = 32_768
    /// Keys of one offer (CFS 2004, `dhash_offer_arg`).
    public static let offeredKeysMax = 64
    /// Hashes or keys of one part of a merkle tree (CFS 2004, `merkle_rpc_node`).
    public static let merkleHashesMax = 64
}
