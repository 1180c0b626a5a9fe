package import VersionKitModel

/// What a node's part in swarms may cost it.
package struct SwarmLimits: Sendable, Hashable {
    /// Bytes per second that all torrents together send; 0: no limit.
    package var uploadBytesPerSecond: Int
    /// Bytes per second that all torrents together receive; 0: no limit.
    package var downloadBytesPerSecond: Int
    /// Connections of all torrents together.
    package var connectionsMax = 128
    /// Connections of one torrent. What a peer costs is its buffers, up to 256 KiB while it is being sent to.
    package var torrentConnectionsMax = 40

    package init(uploadBytesPerSecond: Int = 0, downloadBytesPerSecond: Int = 0) {
        self.uploadBytesPerSecond = uploadBytesPerSecond
        self.downloadBytesPerSecond = downloadBytesPerSecond
    }

    /// The most that a limit can be: it is 32 bits wide where it is used.
    package static let bytesPerSecondMax = Int(Int32.max)
}

/// Where a node listens for peers, by TCP and by uTP, and its limits.
package struct SwarmOptions: Sendable, Hashable {
    package var addresses: [IPAddress]
    /// 0: any.
    package var port: UInt16
    package var limits: SwarmLimits

    package init(addresses: [IPAddress], port: UInt16, limits: SwarmLimits = SwarmLimits()) {
        self.addresses = addresses
        self.port = port
        self.limits = limits
    }
}
