public import CFSModel

/// What gives a block its name.
///
/// Numbers differ between the generations: the protocols know them.
public enum BlockType: Hashable, Sendable, CaseIterable {
    /// Its content: stored as fragments, never changes.
    case contentHash
    /// A public key: stored whole, replaced by newer versions that the key's owner signed.
    case keyHash
    /// Whoever wrote it first: stored whole, never changes.
    case noAuth
}

/// Names a block of the ring.
public struct BlockKey: Hashable, Sendable {
    /// Where on the ring it belongs.
    public let id: ChordID
    /// What gives it that name.
    public let type: BlockType

    /// A name.
    public init(_ id: ChordID, _ type: BlockType) {
        self.id = id
        self.type = type
    }
}

/// Why a block is sent to a node (CFS 2004, `store_status`).
public enum StorePurpose: Hashable, Sendable {
    /// It is the first of those that keep the block, and must be responsible for it.
    case store
    /// It keeps a copy because it asked for it.
    case cache
    /// It keeps one fragment.
    case fragment
    /// It keeps a copy.
    case replica
}

/// A piece of what one node is to keep (CFS 2004, `s_dhash_insertarg`).
public struct StoreRequest: Equatable, Sendable {
    /// The block.
    public let key: BlockKey
    /// Why; `fragment` says that a fragment is sent, all others the whole block.
    public let purpose: StorePurpose
    /// How many bytes all pieces have.
    public let size: Int
    /// Where this piece begins.
    public let offset: Int
    /// The piece.
    public let data: [UInt8]

    /// A piece.
    public init(key: BlockKey, purpose: StorePurpose, size: Int, offset: Int, data: [UInt8]) {
        self.key = key
        self.purpose = purpose
        self.size = size
        self.offset = offset
        self.data = data
    }
}

/// A question for a piece of what a node keeps (CFS 2004, `s_dhash_fetch_arg`).
public struct FetchRequest: Equatable, Sendable {
    /// The block.
    public let key: BlockKey
    /// Whether its fragment is wanted, not the whole block.
    public let isFragment: Bool
    /// Where the piece begins.
    public let start: Int
    /// Bytes wanted at most.
    public let length: Int
    /// What came with the first piece: the others are to be of the same bytes. Zero with the first.
    public let cookie: Int32

    /// A question.
    public init(key: BlockKey, isFragment: Bool, start: Int, length: Int, cookie: Int32) {
        self.key = key
        self.isFragment = isFragment
        self.start = start
        self.length = length
        self.cookie = cookie
    }
}

/// What nodes ask each other about blocks (CFS 2004, program `dhash`).
public enum DHashRequest: Equatable, Sendable {
    /// Keep this.
    case store(StoreRequest)
    /// Give me that.
    case fetch(FetchRequest)
    /// Which fragments of these do you want to keep? 64 keys at most.
    case offer([ChordID])
}

/// What a node says to one key of an offer (CFS 2004, `dhash_offer_status`).
public enum OfferAnswer: Hashable, Sendable {
    /// It has a fragment.
    case present
    /// It wants it.
    case accept
    /// It is not one of those that keep this block.
    case reject
}

/// What nodes answer about blocks.
public enum DHashReply: Equatable, Sendable {
    /// The piece is there; the node had the block before; all pieces are there and kept.
    case stored(wasPresent: Bool, isDone: Bool)
    /// Not mine: try the one before me.
    case retry(ChordNode)
    /// A piece of what is kept, of `size` bytes together.
    case piece([UInt8], offset: Int, size: Int, cookie: Int32)
    /// One answer for each key.
    case offered([OfferAnswer])
    /// It did not work.
    case failed(DHashFailure)
}

/// Why something about a block did not work (CFS 2004, `dhash_stat`).
public enum DHashFailure: Int32, Error, Equatable, Sendable {
    /// No such block.
    case noEntry = 1
    /// It is not the one to ask.
    case retry = 3
    /// The request makes no sense.
    case error = 7
    /// The ring did not say where the block belongs.
    case chord = 8
    /// A node did not answer.
    case unreachable = 9
    /// Too few nodes could keep it.
    case storeError = 10
    /// The block is not what its name says, so it was not kept.
    case storeNotVerified = 17
    /// There is a version as new as this one, or newer.
    case stale = 18
    /// What was found is not what the name says.
    case retrieveNotVerified = 21
}

/// Names an operation of a client.
public struct OperationID: Hashable, Sendable {
    let number: UInt64
}

/// A block that was found, and what it took.
public struct FetchedBlock: Equatable, Sendable {
    /// The block.
    public let data: [UInt8]
    /// The way to it, its successor at the end.
    public let path: [ChordNode]
    /// Nodes that did not have what they should, or gave something else.
    public let errors: Int
    /// Times the whole search was repeated.
    public let retries: Int

    /// A block.
    public init(data: [UInt8], path: [ChordNode], errors: Int, retries: Int) {
        self.data = data
        self.path = path
        self.errors = errors
        self.retries = retries
    }
}

/// What wakes the keeper of blocks.
public enum DHashTimer: Hashable, Sendable {
    /// Compare keys with a successor.
    case replicas
    /// Send whole blocks to those that keep them.
    case wholeBlocks
    /// Look for fragments that others should keep.
    case misplaced
    /// Try a fetch again.
    case retry(OperationID)
}

/// Numbers of the historic configuration; others are for tests and simulations.
public struct DHashParameters: Equatable, Sendable {
    /// Bytes of a piece (CFS 2004, `dhash.mtu`).
    public var packetBytes = 1210
    /// Fragments made of a block (`dhash.efrags`).
    public var fragments = 14
    /// Fragments that are enough at most, and must have been kept (`dhash.dfrags`).
    public var fragmentsNeeded = 7
    /// Copies of a whole block (`dhash.replica`).
    public var replicas = 5
    /// How often a fetch of a whole block is tried again, and after how long.
    public var retries = 5
    /// The pause before that.
    public var retryPause = Duration.seconds(5)
    /// Between two comparisons with a successor (`merkle.replica_timer`).
    public var replicaTimer = Duration.seconds(300)
    /// Between two rounds of sending whole blocks (`merkle.keyhash_timer`).
    public var wholeBlockTimer = Duration.seconds(10)
    /// How long somebody's word counts that it has a whole block.
    public var wholeBlockTrust = Duration.seconds(300)
    /// Between two looks for misplaced fragments (`merkle.prt_timer`).
    public var misplacedTimer = Duration.seconds(5)
    /// Missing fragments made at the same time (`dhash.missing_outstanding_max`).
    public var repairs = 15
    /// Keys of one offer.
    public var keysPerOffer = 46
    /// Comparisons under way because others showed more than this node has.
    public var syncsForOthers = 8
    /// Whole blocks sent in one round, so that a round ends.
    public var wholeBlocksPerRound = 256

    /// The historic ones.
    public init() {}

    /// How many fragments make a block of so many bytes.
    public func needed(length: Int) -> Int {
        min(fragmentsNeeded, Dispersal.fragmentsNeeded(length: length, packetBytes: packetBytes))
    }
}
