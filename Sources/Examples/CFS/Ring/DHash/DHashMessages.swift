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
    /// Until when it is to be kept, in seconds since 1970; 0: for ever. Generation 1 does not know it.
    public let expiration: UInt32

    /// A piece.
    public init(
        key: BlockKey, purpose: StorePurpose, size: Int, offset: Int, data: [UInt8], expiration: UInt32 = 0
    ) {
        self.expiration = expiration
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
    /// A piece of what is kept, of `size` bytes together, and until when; 0: for ever, or nobody knows.
    case piece([UInt8], offset: Int, size: Int, cookie: Int32, expiration: UInt32 = 0)
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
    /// Until when it is kept, in seconds since 1970; 0: for ever, or nobody knows.
    public let expiration: UInt32

    /// A block.
    public init(data: [UInt8], path: [ChordNode], errors: Int, retries: Int, expiration: UInt32 = 0) {
        self.expiration = expiration
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
    /// Ask others for a block, some are late (generation 2).
    case late(OperationID)
    /// Drop what has expired (generation 2).
    case expiry
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

    /// How blocks become fragments.
    public var coding = BlockCoding.dispersal
    /// Whether it is kept beside each block until when it is wanted.
    public var expires = false
    /// What time it is at the time zero, in seconds since 1970: what expirations are compared with.
    public var secondsAtZero: Int64 = 0
    /// Between two looks for blocks that have expired.
    public var expiryTimer = Duration.seconds(60)
    /// How many blocks of each type are dropped then; if there are more, the next look is within a second.
    public var expiryKeysPerRound = 1024
    /// Whether who has just become a successor is compared with before others, and at once.
    public var comparesNewcomersFirst = false
    /// After how long others are asked instead of those that have not given their fragment; nil: when these are dead.
    public var latePatience: Duration?
    /// Successors that are enough to begin fetching a block; nil: all that keep it.
    public var sourcesToBegin: Int?
    /// Whether rings with fewer nodes than a block has keepers keep blocks too.
    public var fewNodesAreEnough = false
    /// Which share of the keepers must have kept a block so that it counts as stored, if that is more than are needed.
    public var keptShare = 0.0
    /// Whether a block of content counts as stored as soon as enough of its keepers have it, or when the last one has answered.
    public var answersWhenEnough = false

    /// The historic ones.
    public init() {}

    /// Those of generation 2: 28 fragments, of which any 8 are enough.
    ///
    /// When 30 % of all nodes fail at once, the chance is 8 in ten million that fewer than 8 of 28 keepers are left; a block's
    /// fragments have 3.5 times its bytes.
    public static var generation2: Self {
        var parameters = Self()
        parameters.coding = .systematic
        parameters.fragments = 28
        parameters.fragmentsNeeded = 8
        parameters.expires = true
        parameters.comparesNewcomersFirst = true
        parameters.replicaTimer = .seconds(60)
        parameters.latePatience = .milliseconds(500)
        parameters.sourcesToBegin = 16
        parameters.keptShare = 2.0 / 3
        parameters.answersWhenEnough = true
        parameters.fewNodesAreEnough = true
        return parameters
    }

    /// How many fragments of a block each of its keepers gets.
    ///
    /// One, in a ring that has a node for each. In generation 2 the nodes of a smaller ring get several: a block has as many
    /// fragments, and some to spare, whatever its ring's size, and one node alone has all that make it.
    public func shareSize(nodes: Int) -> Int {
        guard fewNodesAreEnough, nodes > 0 else { return 1 }
        return min(fragmentsNeeded, max(1, (fragments + nodes - 1) / nodes))
    }

    /// How many copies of a whole block are enough, where so many nodes should keep it: more than half.
    func copiesNeeded(nodes: Int) -> Int { (fewNodesAreEnough ? min(nodes, replicas) : replicas) / 2 + 1 }

    /// How many nodes have enough fragments together.
    func nodesNeeded(shareSize: Int) -> Int { (fragmentsNeeded + shareSize - 1) / shareSize }

    /// How many fragments make a block of so many bytes.
    public func needed(length: Int) -> Int {
        if coding == .systematic { return fragmentsNeeded }
        return min(fragmentsNeeded, Dispersal.fragmentsNeeded(length: length, packetBytes: packetBytes))
    }
}
