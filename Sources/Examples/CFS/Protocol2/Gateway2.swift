public import CFSModel
public import CFSProtocol
public import NIOCore
public import ONCRPC

/// The gateway's program of generation 2: how clients of 2008 give a node whole blocks and get them (CFS 2008,
/// `dhashgateway_prot.x`; program 344448, version 1).
public enum Gateway2 {
    /// The program.
    public static let program = RPCProgram(GatewayLimits.program, version: 1, name: "dhashgateway (2008)")
    /// Stores a block. To store it twice is harmless, except for appended data.
    public static let insert = RPCProcedure<Insertion, InsertResult>(program, 1, "INSERT")
    /// Gets a block.
    public static let retrieve = RPCProcedure<Retrieval, RetrieveResult>(program, 2, "RETRIEVE", isRepeatable: true)

    /// The answer to ``insert``.
    public typealias InsertResult = GatewayInsertResult<Status>
    /// The answer to ``retrieve``.
    public typealias RetrieveResult = GatewayRetrieveResult<Status, Block>

    /// What a block's key proves, `dhash_ctype`.
    public enum Kind: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// The key is the content's SHA-1.
        case contentHash = 0
        /// The key is that of a public key and a salt; the block is signed.
        case keyHash = 1
        /// Nothing.
        case unauthenticated = 2
        /// Nothing; what is inserted goes behind what is there.
        case append = 3
    }

    /// How a request ended, `dhash_stat`.
    public enum Status: UInt32, GatewayStatus, CaseIterable {
        /// Done.
        case ok = 0
        /// There is no such block.
        case noEntry = 1
        /// Another node has to be asked.
        case retry = 3
        /// The virtual node does not speak this program.
        case noHandler = 5
        /// It failed.
        case error = 7
        /// Chord failed.
        case chordError = 8
        /// A call to another node failed.
        case rpcError = 9
        /// The database failed.
        case databaseError = 10
        /// A part was stored; others are still to come.
        case storePartial = 11
        /// All of it.
        case complete = 12
        /// More is to come.
        case goOn = 13
        /// There is no such virtual node.
        case invalidNode = 14
        /// The recursive retrieval is done.
        case recursiveFetchDone = 15
        /// The recursive retrieval was passed on.
        case recursiveFetchForwarded = 16
        /// What was to be stored does not fit its key.
        case storeNotVerified = 17
        /// There is a newer one.
        case stale = 18
        /// From a cache.
        case cached = 19
        /// No answer in time.
        case timedOut = 20
        /// What was found does not fit its key.
        case retrieveNotVerified = 21
        /// The disk is full.
        case diskFull = 22
        /// It is being done.
        case inProgress = 23
    }

    /// The arguments of ``insert``, `dhash_insert_arg`.
    public struct Insertion: XDRCodable, Hashable {
        /// The block's key.
        public var key: ChordID
        /// What the key proves.
        public var kind: Kind
        /// The block.
        public var block: ByteBuffer
        /// Until when it is to be kept, in seconds since 1970, if the options say so.
        public var expiration: UInt32
        /// What the client wishes beyond.
        public var options: GatewayOptions
        /// Where the block may end up, if the options say so.
        public var guess: ChordID

        /// The insertion of a block.
        public init(
            key: ChordID, kind: Kind, block: ByteBuffer, expiration: UInt32 = 0, options: GatewayOptions = [],
            guess: ChordID = ChordID(0)
        ) {
            self.key = key
            self.kind = kind
            self.block = block
            self.expiration = expiration
            self.options = options
            self.guess = guess
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            key = try reader.read()
            kind = try reader.read()
            block = try reader.readOpaque(max: GatewayLimits.blockBytesMax)
            expiration = try reader.read()
            options = try reader.read()
            guess = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(key)
            try writer.write(kind)
            try writer.writeOpaque(block, max: GatewayLimits.blockBytesMax)
            try writer.write(expiration)
            try writer.write(options)
            try writer.write(guess)
        }
    }

    /// The arguments of ``retrieve``: the same in both generations but for the numbers of kinds.
    public typealias Retrieval = GatewayRetrieval<Kind>
}
