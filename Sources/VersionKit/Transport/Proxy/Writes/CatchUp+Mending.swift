import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy

/// Keys that a version did something else with than the one whose word counts.
extension CatchUp {
    /// A version missed a write, whose turn it still is.
    ///
    /// - Returns: `false` if the write would be lost with the process: then nobody may be told that it is done.
    func missed(_ write: MissedWrite, by version: Version) -> Bool {
        switch writes.missed(write, by: version) {
        case .kept: return true
        case .unkept: return false
        case .unlike(let mending, let isKept):
            start(mending)
            return isKept
        }
    }

    /// Begins to copy keys.
    func start(_ mending: WriteCoordinator.Mending) {
        tasks.withLock { tasks in
            guard !tasks.isStopped else { return }
            tasks.mending[mending.number] = Task { await self.mend(mending) }
        }
    }

    /// Copies the keys, however often it takes: as long as they are unlike, the version that has them is not compared
    /// with one that lacks them.
    ///
    /// It takes its turn like a write: whoever asked before, the same client's next writes included, comes first.
    private func mend(_ mending: WriteCoordinator.Mending) async {
        let (version, keys) = (mending.unlike.version, mending.unlike.keys)
        var delay = Self.retryDelays.first
        var isOver = false
        while !isOver, !Task.isCancelled {
            do {
                try await holding(keys) {
                    writes.begin(mending)
                    // One that is taken off the list needs nothing any more.
                    if let end = writes.end(of: version) { try await copy(keys.names ?? [], to: end) }
                    // While it has its turn: the next write to a key may be one that the others lack.
                    writes.end(mending)
                }
                isOver = true
            } catch {
                isOver = Task.isCancelled ? false : writes.failed(mending)
                if isOver { writes.end(mending) }
                if !isOver { try? await Task.sleep(for: delay) }
                delay = min(delay * 2, Self.retryDelays.last)
            }
        }
        // One that was stopped before is on record for the next proxy.
        tasks.withLock { _ = $0.mending.removeValue(forKey: mending.number) }
    }
}
