import CFSClient
import CFSModel
import CFSProtocol1
import CFSProtocol2
import ONCRPC
import ONCRPCSockets
public import VersionKit

/// Copies a node's blocks from one ring to the other, in either direction (R23): what the node holds a part of is listed,
/// asked for in the other ring, and copied if it is not there. The other ring is not asked for what its node on this host
/// holds no part of: that node is among a block's first keepers there as well, so to ask would be in vain most times.
///
/// Clients of hosts without the new generation store blocks at this node, too, while it copies: the last run finds those.
///
/// Blocks of content are what they are, and a ring refuses a signed block that is older than its own, so what clients write
/// meanwhile, to both rings, is safe, and running it again does no harm. Fourteen nodes hold a part of a block: of these the
/// first two behind its name copy it, so that one may be gone.
public struct CFSMigrator: Migrator {
    /// Blocks under way at a time.
    static let blocksAtOnce = 16
    /// How many nodes look after the same block.
    static let keepersMax = 2
    /// Names of blocks of which a run remembers that the other ring has them.
    static let namesMax = 1 << 18

    /// The migrator; it has no state.
    public init() {}

    public func migrate(
        from source: MigrationEnd, to destination: MigrationEnd, progress: @Sendable (MigrationProgress) -> Void
    ) async throws {
        var found: Set<ChordID> = []
        progress(try await copy(from: source, to: destination, &found) { _ in }.progress)
    }

    public func run(_ run: MigrationRun) async throws {
        var found: Set<ChordID> = []
        try await run.copyWhileOthersWrite {
            try await copy(from: run.source, to: run.destination, &found) { try await run.pause(bytes: $0) }
        }
    }

    /// - Parameters:
    ///   - found: what was seen in the other ring, and does not change: a later pass does not look again.
    ///   - pause: waits until so many bytes may be copied.
    private func copy(
        from source: MigrationEnd, to destination: MigrationEnd, _ found: inout Set<ChordID>,
        _ pause: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> (progress: MigrationProgress, copied: [ChordID]) {
        let list = try await BlockList.connect(to: .gateway(of: source))
        let (old, new) = (GatewayClient(of: source), GatewayClient(of: destination))
        var progress = MigrationProgress(examined: 0, copied: 0)
        var unchanging: [ChordID] = []
        do {
            for kind in GatewayBlockKind.allCases {
                let held = kind == .keyHash ? [] : try await BlockList.held(at: .gateway(of: destination), of: kind)
                try await list.forEachPage(of: kind) { names in
                    progress.examined += UInt64(names.count)
                    let unknown = names.filter { !found.contains($0) }
                    let outcomes = try await Self.copy(unknown, kind, held, from: old, to: new, pause)
                    let copied = zip(unknown, outcomes).filter { $1 == .copied }.map(\.0)
                    progress.copied += UInt64(copied.count)
                    // There may be a newer version of a signed one each time.
                    guard kind != .keyHash else { return }
                    unchanging += copied
                    let there = zip(unknown, outcomes).filter { $1 == .there }.map(\.0)
                    found.formUnion(there.prefix(Self.namesMax - found.count))
                }
            }
        } catch {
            await Self.close(list, old, new)
            throw error
        }
        await Self.close(list, old, new)
        return (progress, unchanging)
    }

    private static func close(_ list: BlockList, _ gateways: GatewayClient...) async {
        await list.close()
        for gateway in gateways { await gateway.close() }
    }

    /// What became of a block.
    private enum Outcome { case there, copied, absent }

    /// What became of these blocks, in their order.
    private static func copy(
        _ names: [ChordID], _ kind: GatewayBlockKind, _ held: Set<ChordID>, from old: GatewayClient,
        to new: GatewayClient,
        _ pause: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            var outcomes = names.map { _ in Outcome.absent }
            for (index, name) in names.enumerated() {
                if index >= blocksAtOnce, let (index, outcome) = try await group.next() { outcomes[index] = outcome }
                let isNew = kind != .keyHash && !held.contains(name)
                group.addTask { (index, try await copy(name, kind, isNew: isNew, from: old, to: new, pause)) }
            }
            for try await (index, outcome) in group { outcomes[index] = outcome }
            return outcomes
        }
    }

    /// Copies a block that is missing, or older.
    private static func copy(
        _ name: ChordID, _ kind: GatewayBlockKind, isNew: Bool, from old: GatewayClient, to new: GatewayClient,
        _ pause: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Outcome {
        let proof = { BlockProof($0, kind: kind.of2008, named: name) }
        let there = isNew ? nil : try await new.retrieve(name, kind)
        // One block of content is like another; of a signed one the old ring may have a newer version.
        if there != nil, kind != .keyHash { return .there }
        guard let block = try await old.retrieve(name, kind)?.bytes,
            proof(block) > (there.map { proof($0.bytes) } ?? .wrong)
        else { return .absent }
        try await pause(block.readableBytes)
        do throws(GatewayError) {
            try await new.insert(name, kind, block)
        } catch {
            // A client may have been faster.
            guard error.code == .stale else { throw error }
        }
        return .copied
    }
}

/// The names of the blocks that a node looks after.
private struct BlockList {
    private let client: RPCStreamClient
    private let own: [ChordID]
    private let others: [ChordID]

    static func connect(to gateway: RPCAddress) async throws -> BlockList {
        let client = try await RPCStreamClient.connect(to: gateway)
        let own = try await client.call(Control1.ownNodes, XDRVoid()).nodes.map(\.id)
        let known = try await client.call(Control1.locationTable, 0).nodes.filter(\.isAlive).map(\.id)
        return BlockList(client: client, own: own, others: known.filter { !own.contains($0) })
    }

    /// Blocks of which a node holds a part; so many, at most.
    static func held(at gateway: RPCAddress, of kind: GatewayBlockKind) async throws -> Set<ChordID> {
        let list = try await connect(to: gateway)
        var names: Set<ChordID> = []
        do {
            try await list.forEachPage(of: kind, byAny: true) {
                names.formUnion($0.prefix(CFSMigrator.namesMax - names.count))
            }
        } catch {
            await list.close()
            throw error
        }
        await list.close()
        return names
    }

    func close() async { await client.close() }

    func forEachPage(
        of kind: GatewayBlockKind, byAny: Bool = false, _ body: ([ChordID]) async throws -> Void
    ) async throws {
        for (number, node) in own.enumerated() {
            var last: ChordID?
            repeat {
                let names = try await client.call(
                    Control1.blocks, .init(node: Int32(number), kind: kind.of2004, after: last)
                ).names
                last = names.last
                try await body(names.filter { byAny || isKept($0, by: node) })
            } while last != nil
        }
    }

    /// Whether the node is one of the first behind the name.
    private func isKept(_ name: ChordID, by node: ChordID) -> Bool {
        others.count { $0 &- name < node &- name } < CFSMigrator.keepersMax
    }
}

extension RPCAddress {
    fileprivate static func gateway(of end: MigrationEnd) -> RPCAddress {
        .tcp(host: "\(end.client.address)", port: Int(end.client.port))
    }
}

extension GatewayClient {
    fileprivate convenience init(of end: MigrationEnd) {
        var options = Options(end.version < CFSAdapter.generation2 ? .of2004 : .of2008)
        // A minute: while a ring takes in many nodes at a time some do not find their way for seconds, and a migrator that
        // gives up is an upgrade that failed.
        options.patience = RPCPatience(firstTime: .milliseconds(100), longestTime: .seconds(2), attempts: 32)
        self.init(to: .gateway(of: end), options)
    }
}
