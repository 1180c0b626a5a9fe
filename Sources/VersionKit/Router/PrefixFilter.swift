public import VersionKitModel
public import VersionKitWire

/// Tells by its first bytes which version a connection belongs to, for applications that name their versions themselves:
/// every connection of a version begins with the same bytes. Where one version's prefix begins another's, the longer one
/// decides.
///
/// Such an application gets no headers: what it sends goes out as it is, and what comes without a header is judged here.
///
/// - Note: L 2.3.2; R9.
public struct PrefixFilter: Sendable, Hashable {
    /// The first bytes of one version's connections.
    public struct Prefix: Sendable, Hashable {
        /// The bytes; none match every connection.
        public var bytes: [UInt8]
        /// Whose they are.
        public var version: Version

        /// A prefix of a version.
        public init(_ bytes: [UInt8], _ version: Version) {
            self.bytes = bytes
            self.version = version
        }
    }

    /// What it says of a connection.
    public enum Verdict: Sendable, Hashable {
        /// The connection is this version's.
        case version(Version)
        /// Too few bytes to say.
        case needMore
        /// It belongs to no version that the filter knows. It is closed and counted.
        case notMine
    }

    /// The prefixes, the longest first.
    public let prefixes: [Prefix]

    /// A filter by these prefixes.
    public init(_ prefixes: [Prefix]) {
        self.prefixes = prefixes.sorted { $0.bytes.count > $1.bytes.count }
    }

    /// Looks at the beginning of a connection. It is asked again with the same bytes and more after
    /// ``Verdict/needMore``, until ``Limits/filterBytesMax`` bytes are there or no more will come.
    ///
    /// - Parameter bytes: everything received so far, nothing peeked. What is peeked is delivered all the same.
    public func version(of bytes: inout PeekBuffer) -> Verdict {
        bytes.withUnsafeAvailableBytes { seen in
            for prefix in prefixes where zip(prefix.bytes, seen).allSatisfy({ $0 == $1 }) {
                return prefix.bytes.count <= seen.count ? .version(prefix.version) : .needMore
            }
            return .notMine
        }
    }
}
