public import VersionKitModel

/// What a node goes by in trusting releases of an application, where a root is pinned.
public struct TrustStatus: Codable, Sendable, Equatable {
    /// The number of the root.
    public var root: UInt64
    /// When it stops to count.
    public var rootExpires: UTCTime
    /// The number of the channel; 0: there is none.
    public var channel: UInt64
    /// When it stops to count.
    public var channelExpires: UTCTime?
    /// The versions that may begin.
    public var offered: [Version]
    /// The versions that may not, and that are taken away where that is possible.
    public var withdrawn: [Version]
    /// Why nothing begins, or why a withdrawn version still runs.
    public var trouble: [String]
    /// Documents that were refused, by reason.
    public var refused: [String: UInt64]

    /// A status.
    public init(
        root: UInt64, rootExpires: UTCTime, channel: UInt64, channelExpires: UTCTime?, offered: [Version],
        withdrawn: [Version], trouble: [String], refused: [String: UInt64]
    ) {
        self.root = root
        self.rootExpires = rootExpires
        self.channel = channel
        self.channelExpires = channelExpires
        self.offered = offered
        self.withdrawn = withdrawn
        self.trouble = trouble
        self.refused = refused
    }
}

extension TrustStatus {
    /// For people, in lines.
    var lines: [String] {
        let until = channelExpires.map { " until \($0)" } ?? ""
        func list(_ versions: [Version]) -> String { versions.map(\.description).joined(separator: " ") }
        var lines = [
            "trust: root \(root) until \(rootExpires), channel \(channel)\(until), offered [\(list(offered))], "
                + "withdrawn [\(list(withdrawn))]"
        ]
        lines += trouble.map { "  \($0)" }
        lines += refused.sorted { $0.key < $1.key }.map { "  refused \($0.value): \($0.key)" }
        return lines
    }
}
