public import CFSProtocol2
public import ONCRPC

/// A call to a gateway of CFS, whichever generation's client it came from.
public struct CFSRequest: Sendable, Hashable {
    /// What is asked, in the words of 2008: they can say all that those of 2004 can.
    public enum Kind: Sendable, Hashable {
        case insert(Gateway2.Insertion)
        case retrieve(Gateway2.Retrieval)
        case ping
        /// No call of the gateway's program; the proxy answers it itself.
        case refused(RPCReply.Outcome)
    }

    /// What is asked.
    public var kind: Kind
    /// The call's number, which its reply repeats.
    public var xid: UInt32 = 0
    /// Who calls.
    public var credential: RPCAuthentication = .none
}

/// A gateway's reply, whichever generation it came from.
public enum CFSReply: Sendable, Hashable {
    case inserted(Gateway2.InsertResult)
    /// A block, or why there is none; `proof`: what was found out about the block itself.
    case retrieved(Gateway2.RetrieveResult, proof: BlockProof = .none)
    case pong
    /// The call was not carried out.
    case refused(RPCReply.Outcome)
}
