import CFSBlocks
public import CFSClient
public import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
public import NIOCore
public import ONCRPC
import Synchronization

/// A gateway whose blocks are in memory, without a ring behind it: for tests, and to measure what a client and its protocol cost
/// by themselves. It keeps to the rules of the nodes, unless it is told to break them.
public final class MemoryGateway: Sendable {
    /// What somebody wants.
    public struct Request: Hashable, Sendable {
        /// Whether a block is brought, or asked for.
        public var isInsertion: Bool
        /// Its name.
        public var key: ChordID
        /// How many requests there were before.
        public var number: Int
    }

    /// What the gateway does about a request.
    public enum Behaviour: Hashable, Sendable {
        /// What it should.
        case right
        /// What it should, so much later.
        case delayed(Duration)
        /// It carries out an insertion and never says so; of a retrieval nobody hears again.
        case silent
        /// It gives other bytes than it has.
        case lying
        /// It says that there is nothing; it stores nothing and says that it did.
        case forgetful
        /// It fails with this number of `dhash_stat`.
        case failing(UInt32)
    }

    /// Which messages it speaks.
    public let form: GatewayForm
    private let bytesMax: Int
    private let behaviour: @Sendable (Request) -> Behaviour
    private let state = Mutex(State())

    fileprivate struct State {
        var blocks: [ChordID: ByteBuffer] = [:]
        var expirations: [ChordID: UInt32] = [:]
        var bytes = 0
        var requests = 0
        var retrievals = 0
        var insertions = 0
    }

    /// What `dhash_stat` has for what may go wrong here, the same in both forms.
    fileprivate enum Status {
        static let noEntry: UInt32 = 1
        static let storeError: UInt32 = 10
        static let notVerified: UInt32 = 17
        static let stale: UInt32 = 18
    }

    /// An empty one.
    ///
    /// - Parameters:
    ///   - bytesMax: Bytes of blocks; one more is refused.
    ///   - behaviour: What it does about each request.
    public init(
        _ form: GatewayForm, bytesMax: Int = 1 << 30,
        behaviour: @escaping @Sendable (Request) -> Behaviour = { _ in .right }
    ) {
        self.form = form
        self.bytesMax = bytesMax
        self.behaviour = behaviour
    }

    /// The blocks that it has.
    public var blocks: [ChordID: ByteBuffer] { state.withLock { $0.blocks } }
    /// Until when blocks are to be kept, where somebody said so.
    public var expirations: [ChordID: UInt32] { state.withLock { $0.expirations } }
    /// How many blocks were asked for.
    public var retrievals: Int { state.withLock { $0.retrievals } }
    /// How many blocks were brought.
    public var insertions: Int { state.withLock { $0.insertions } }

    /// Puts a block there, whatever it is; nil takes it away.
    public func put(_ block: ByteBuffer?, for key: ChordID) { state.withLock { $0.set(block, key) } }

    /// The program, for a server.
    public var service: RPCService {
        switch form {
        case .of2004: service1
        case .of2008: service2
        }
    }

    private var service1: RPCService {
        var service = RPCService(Gateway1.program)
        service.on(Gateway1.insert) { arguments, _ async throws(RPCRefusal) in
            let isSigned = arguments.kind == .keyHash
            let status = await self.insert(
                arguments.key, arguments.block, isSigned: isSigned, isNamed: arguments.kind == .contentHash, nil)
            return status.map { .failed(Gateway1.Status(rawValue: $0) ?? .error) } ?? .stored(path: [arguments.key])
        }
        service.on(Gateway1.retrieve) { arguments, _ async throws(RPCRefusal) in
            switch await self.retrieve(arguments.key) {
            case .success(let block): return .found(Gateway1.Block(block, kind: arguments.kind, path: [arguments.key]))
            case .failure(let failure): return .failed(Gateway1.Status(rawValue: failure.status) ?? .error)
            }
        }
        return service
    }

    private var service2: RPCService {
        var service = RPCService(Gateway2.program)
        service.on(Gateway2.insert) { arguments, _ async throws(RPCRefusal) in
            let status = await self.insert(
                arguments.key, arguments.block, isSigned: arguments.kind == .keyHash,
                isNamed: arguments.kind == .contentHash,
                arguments.options.contains(.expirationSupplied) ? arguments.expiration : nil)
            return status.map { .failed(Gateway2.Status(rawValue: $0) ?? .error) } ?? .stored(path: [arguments.key])
        }
        service.on(Gateway2.retrieve) { arguments, _ async throws(RPCRefusal) in
            switch await self.retrieve(arguments.key) {
            case .success(let block):
                return .found(
                    Gateway2.Block(
                        block, kind: arguments.kind, expiration: self.expirations[arguments.key] ?? 0,
                        path: [arguments.key]))
            case .failure(let failure): return .failed(Gateway2.Status(rawValue: failure.status) ?? .error)
            }
        }
        return service
    }

    private struct Failure: Error { var status: UInt32 }

    private func retrieve(_ key: ChordID) async -> Result<ByteBuffer, Failure> {
        let request = state.withLock { $0.next(isInsertion: false, key) }
        let found = state.withLock { $0.blocks[key] }
        switch behaviour(request) {
        case .right: break
        case .delayed(let time): try? await Task.sleep(for: time)
        case .silent: await Self.nobodyWaits()
        case .forgetful: return .failure(Failure(status: Status.noEntry))
        case .failing(let status): return .failure(Failure(status: status))
        case .lying: return .success(found.map(Self.damaged) ?? ByteBuffer(string: "nothing of the kind"))
        }
        return found.map { .success($0) } ?? .failure(Failure(status: Status.noEntry))
    }

    /// - Returns: nil if it is stored, else the status.
    private func insert(
        _ key: ChordID, _ block: ByteBuffer, isSigned: Bool, isNamed: Bool, _ expiration: UInt32?
    ) async -> UInt32? {
        let request = state.withLock { $0.next(isInsertion: true, key) }
        let behaviour = behaviour(request)
        switch behaviour {
        case .right, .silent: break
        case .delayed(let time): try? await Task.sleep(for: time)
        case .forgetful: return nil
        case .failing(let status): return status
        case .lying: return state.withLock { $0.store(Self.damaged(block), key, expiration, bytesMax) }
        }
        var status: UInt32?
        if isSigned {
            status = storeSigned(key, block, expiration)
        } else if isNamed, ChordID(hashing: block.readableBytesView) != key {
            status = Status.notVerified
        } else {
            status = state.withLock { $0.store(block, key, expiration, bytesMax) }
        }
        if behaviour == .silent { await Self.nobodyWaits() }
        return status
    }

    private func storeSigned(_ key: ChordID, _ block: ByteBuffer, _ expiration: UInt32?) -> UInt32? {
        guard let new = try? SignedBlock(block, named: key) else { return Status.notVerified }
        return state.withLock { state in
            if let old = state.blocks[key].flatMap({ try? SignedBlock($0, named: key) }), new.version <= old.version {
                return Status.stale
            }
            return state.store(block, key, expiration, bytesMax)
        }
    }

    private static func damaged(_ block: ByteBuffer) -> ByteBuffer {
        var block = block
        let first = block.getInteger(at: block.readerIndex, as: UInt8.self) ?? 0
        if block.readableBytes == 0 {
            block.writeInteger(first)
        } else {
            block.setInteger(~first, at: block.readerIndex)
        }
        return block
    }

    /// Waits until the server ends the call.
    private static func nobodyWaits() async { for await _ in AsyncStream<Never>.makeStream().stream {} }
}

extension MemoryGateway.State {
    fileprivate mutating func next(isInsertion: Bool, _ key: ChordID) -> MemoryGateway.Request {
        defer { requests += 1 }
        if isInsertion { insertions += 1 } else { retrievals += 1 }
        return MemoryGateway.Request(isInsertion: isInsertion, key: key, number: requests)
    }

    fileprivate mutating func store(
        _ block: ByteBuffer, _ key: ChordID, _ expiration: UInt32?, _ bytesMax: Int
    ) -> UInt32? {
        let old = blocks[key]?.readableBytes ?? 0
        guard bytes - old + block.readableBytes <= bytesMax else { return MemoryGateway.Status.storeError }
        set(block, key)
        expirations[key] = expiration
        return nil
    }

    fileprivate mutating func set(_ block: ByteBuffer?, _ key: ChordID) {
        bytes -= blocks[key]?.readableBytes ?? 0
        // Of its own: a block that was cut out of a message would keep all of that.
        blocks[key] = block.map { ByteBuffer(bytes: $0.readableBytesView) }
        bytes += block?.readableBytes ?? 0
    }
}
