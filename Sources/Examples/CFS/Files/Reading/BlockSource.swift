public import CFSModel
public import NIOCore

/// Where a reader gets blocks from: a ring, a cache before it, a test's dictionary. It is not trusted: what it says is checked.
public protocol BlockSource: Sendable {
    /// The block whose content has this hash; nil if nobody has it.
    ///
    /// - Throws: If nobody can tell, which the reader passes on.
    func block(_ name: ChordID) async throws -> ByteBuffer?

    /// The signed block of this name, in the latest version that the source knows; nil if nobody has it.
    ///
    /// - Throws: If nobody can tell, which the reader passes on.
    func signedBlock(_ name: ChordID) async throws -> ByteBuffer?

    /// These blocks will be asked for soon, in this order: whoever can fetches them meanwhile. A hint; a source may pass over
    /// it, and does if it says nothing.
    func expect(_ names: [ChordID]) async
}

extension BlockSource {
    /// Does nothing.
    public func expect(_ names: [ChordID]) async {}
}
