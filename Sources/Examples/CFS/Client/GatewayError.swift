public import CFSModel
public import ONCRPC

/// Why a gateway did not do what it was asked for.
public struct GatewayError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Code: Hashable, Sendable {
        /// The call failed: nobody is there, no answer came, or what came is none.
        case call(RPCError)
        /// The node says that it failed, by this number of its `dhash_stat`.
        case failed(status: UInt32, name: String)
        /// The nodes have a newer block of this name.
        case stale
        /// The nodes found that the block is not what its name says.
        case notVerified
        /// Nobody waits any longer.
        case cancelled
    }

    /// What happened.
    public var code: Code
    /// The block that it is about.
    public var block: ChordID
    /// How often it was tried.
    public var attempts: Int

    /// An error.
    public init(_ code: Code, block: ChordID, attempts: Int = 1) {
        self.code = code
        self.block = block
        self.attempts = attempts
    }

    /// Whether it may go otherwise if it is tried again: the fault lies between nodes, or between them and us.
    public var mayPass: Bool {
        switch code {
        case .call(let error):
            switch error.code {
            case .unreachable, .timedOut, .disconnected, .tooManyCalls, .badResults, .refused(.systemError): true
            default: false
            }
        case .failed(let status, _): status != GatewayStatusNumber.diskFull
        case .stale, .notVerified, .cancelled: false
        }
    }

    /// One sentence.
    public var description: String {
        let what =
            switch code {
            case .call(let error): "\(error)"
            case .failed(_, let name): "the node answered: \(name)"
            case .stale: "there is a newer one"
            case .notVerified: "the node says that the block is not what its name says"
            case .cancelled: "cancelled"
            }
        return "block \(block): \(what)" + (attempts > 1 ? " (tried \(attempts) times)" : "")
    }
}

/// Numbers of `dhash_stat` that mean the same in 2004 and 2008.
enum GatewayStatusNumber {
    static let noEntry: UInt32 = 1
    static let storeNotVerified: UInt32 = 17
    static let stale: UInt32 = 18
    /// In 2004: the agreement on a block failed. To try either again at once does not help.
    static let diskFull: UInt32 = 22
}
