/// Why a swarm could not do what it was asked: libtorrent's own words behind ours.
package struct SwarmError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
