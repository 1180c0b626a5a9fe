import Synchronization
import VersionKitModel
import VersionKitProxy

/// What was logged for a version is sent to it, now that it runs again as it was when its log began.
extension CatchUp {
    /// Ends replays to versions that are only logged for from here on. What they had sent is over when this returns, and so
    /// cannot come to another one that is put back.
    func endReplays(_ table: VersionTable) async {
        for version in table.versions where table.versions.role(of: version) == .logged {
            guard let over = tasks.withLock({ $0.working.removeValue(forKey: version) }) else { continue }
            over.cancel()
            // Who waits for an answer waits in vain from here on.
            access.disconnect(version)
            await over.value
        }
    }

    /// Begins the replays that are to go on by now.
    func startReplays(_ table: VersionTable) {
        for version in table.versions.logged where table.versions.role(of: version) != .logged {
            tasks.withLock { tasks in
                guard !tasks.isStopped, tasks.working[version] == nil else { return }
                tasks.working[version] = Task { await self.replay(version) }
            }
        }
    }

    private func replay(_ version: Version) async {
        guard let reader = writes.store?.replayReader(of: version) else { return }
        access.disconnect(version)
        while !Task.isCancelled, let remaining = writes.remaining(for: version), let end = writes.end(of: version) {
            guard remaining > 0 else {
                try? await Task.sleep(for: Self.watchInterval)
                continue
            }
            do {
                let batch = try reader.next(
                    min(limits.copiedKeysMax, Int(clamping: remaining)), bytesMax: limits.unsentBytesMax)
                let refused = try await access.replay(batch, to: end) {}
                guard refused == 0 else {
                    throw ProxyError(
                        .unsupported, "version \(version) refused \(refused) of the writes that were logged for it",
                        side: .version, isRetrySafe: false)
                }
                writes.replayed(batch.count, to: version)
            } catch {
                // Whether it did some of them is not known: it is put back once more, or not gone back to.
                writes.noteReplayTrouble("\(error)", of: version)
            }
        }
    }
}
