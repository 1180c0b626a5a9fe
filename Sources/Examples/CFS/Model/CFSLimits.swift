/// Bounds of the ring in one place: nothing that others send grows without one of these.
public enum CFSLimits {
    /// Virtual nodes of one process (CFS 2004, `max_vnodes`).
    public static let virtualNodes = 1024
    /// Nodes that one node keeps in mind (CFS 2004, `locationtable.maxcache`): fingers, neighbours on both sides, others.
    public static let locations = 160 + 16 + 16 + 16
    /// Dead nodes that one node asks again now and then.
    public static let deadNodes = 64
    /// Nodes taken from one list in a message.
    public static let nodesPerList = 64
    /// Ids of failed nodes in one question.
    public static let failedNodes = 64
    /// Nodes that one lookup asks before it gives up.
    public static let lookupQuestions = 512
    /// Nearer neighbours that a node goes on to in one round of stabilisation.
    public static let stepsPerRound = 32
    /// Lookups under way for others, which answer only at the end.
    public static let lookupsForOthers = 256
    /// Nodes that a question passes on its way, in generation 2.
    public static let routeHops = 64
    /// Nodes that did not take a question on its way, as far as anybody is believed, in generation 2.
    public static let routeRetries = 4096
    /// Questions that one node passes on at the same time, in generation 2.
    public static let forwardedRoutes = 1024
    /// Fingers that did not answer and are looked for anew, in generation 2.
    public static let emptiedSlots = 64
    /// Bytes of one block: what the gateway lets through in one record.
    public static let blockBytes = 1024 * 1024
    /// Bytes of a block and of what a fragment has in addition, at the worst two bytes for each two.
    public static let storedBytes = 2 * blockBytes + 1024
    /// Blocks that others began to store and did not finish.
    public static let partialStores = 256
    /// Bytes of these.
    public static let partialBytes = 64 * 1024 * 1024
    /// How many fragments a decoder is given at most.
    public static let fragments = 64
    /// How many fragments can be needed for one block.
    public static let fragmentsNeeded = 32
    /// Keys in one offer (CFS 2004, `dhash_offer_arg`).
    public static let keysPerOffer = 64
    /// Keys or hashes in one node of a merkle tree, and keys in one answer (CFS 2004, `merkle_rpc_node`).
    public static let keysPerMerkleNode = 64
    /// Keys known to be missing that wait to be fetched.
    public static let missingKeys = 65_536
    /// Operations of clients under way at one virtual node.
    public static let operations = 4096
}
