extension ReleaseManifest {
    /// What a node has to have free before it begins an upgrade to the release.
    public struct Needs: Codable, Sendable, Equatable {
        /// Bytes on the disk for its files, unpacked, and for what it writes; `nil`: as many as its layers have.
        public var diskBytes: UInt64?
        /// Bytes of memory; `nil`: what the node's configuration gives a version at most.
        public var memoryBytes: UInt64?

        /// What is needed.
        public init(diskBytes: UInt64? = nil, memoryBytes: UInt64? = nil) {
            self.diskBytes = diskBytes
            self.memoryBytes = memoryBytes
        }
    }

    func validateNeeds() throws(ManifestError) {
        for (field, bytes) in [("needs.diskBytes", needs?.diskBytes), ("needs.memoryBytes", needs?.memoryBytes)] {
            guard let bytes, bytes > Limits.needsBytesMax else { continue }
            throw ManifestError(
                .outOfBounds, field, "\(bytes) bytes", remedy: "use at most \(Limits.needsBytesMax) bytes")
        }
    }
}
