import VersionKitModel
import VersionKitSwarm

extension NodeConfiguration {
    /// This node's part in the distribution of releases; `nil`: none.
    ///
    /// - Throws: ``NodeError`` that names the setting that is wrong.
    func swarmOptions() throws -> SwarmOptions? {
        let port = swarmPort ?? Self.swarmPortDefault
        // They bind direct transfers too.
        try checkLimits()
        guard port > 0 else { return nil }
        guard port != transparentPort ?? Node.transparentPortDefault else {
            throw NodeError("swarmPort and transparentPort are both \(port); give versiond two ports")
        }
        return SwarmOptions(
            addresses: address.all, port: port,
            limits: SwarmLimits(
                uploadBytesPerSecond: swarmUploadLimit ?? 0, downloadBytesPerSecond: swarmDownloadLimit ?? 0))
    }

    /// The same limits for what goes by other ways.
    func transferLimits() -> TransferLimits {
        TransferLimits(
            upload: swarmUploadLimit.map { TransferLimit(bytesPerSecond: $0) },
            download: swarmDownloadLimit.map { TransferLimit(bytesPerSecond: $0) })
    }

    private func checkLimits() throws {
        for (name, limit) in [("swarmUploadLimit", swarmUploadLimit), ("swarmDownloadLimit", swarmDownloadLimit)] {
            guard limit.map({ (1...SwarmLimits.bytesPerSecondMax).contains($0) }) ?? true else {
                throw NodeError(
                    "\(name) is not within 1 and \(SwarmLimits.bytesPerSecondMax) bytes per second; leave it out for none"
                )
            }
        }
    }
}
