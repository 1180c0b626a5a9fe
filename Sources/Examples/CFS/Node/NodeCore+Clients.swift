import CFSModel
import CFSRing

/// What clients ask for.
extension NodeCore: BlockKeeper {
    func insert(
        _ data: [UInt8], _ key: BlockKey, until expiration: UInt32
    ) async -> Result<[ChordNode], KeeperFailure> {
        guard let index = admit(key.id) else { return .failure(.unavailable) }
        return await withCheckedContinuation { continuation in
            let (operation, actions) = nodes[index].insert(data, key, expiration: expiration, at: now, using: &random)
            wait(.insert(continuation), for: operation, of: index)
            for action in actions { perform(action, of: index) }
            settle()
        }
    }

    func fetch(_ key: BlockKey) async -> Result<FetchedBlock, KeeperFailure> {
        guard let index = admit(key.id) else { return .failure(.unavailable) }
        return await withCheckedContinuation { continuation in
            let (operation, actions) = nodes[index].fetch(key, at: now, using: &random)
            wait(.fetch(continuation), for: operation, of: index)
            for action in actions { perform(action, of: index) }
            settle()
        }
    }

    private func wait(_ client: Client, for operation: OperationID, of index: Int) {
        operations[OperationName(node: index, id: operation)] = (client, now + NodeLimits.operationTime)
    }

    /// The virtual node with the shortest way to an id; nil if too much is under way already.
    private func admit(_ id: ChordID) -> Int? {
        guard !isEnding, operations.count < NodeLimits.operations else {
            counters.drop(.tooManyOperations)
            return nil
        }
        return nodes.indices.min { id &- nodes[$0].chord.me.id < id &- nodes[$1].chord.me.id }
    }
}
