public import CFSModel
public import NIOCore

/// Where a publisher brings its blocks: a ring, a file, a test's dictionary.
public protocol BlockSink {
    /// Takes a block that is named by its content. It comes again whenever the same content does, and need not be stored when
    /// this returns, so that many can be under way; how many, the sink decides.
    func store(_ block: NamedBlock) async throws

    /// Waits until every block that it took is stored.
    ///
    /// - Throws: If one is not.
    func settle() async throws

    /// Stores the root, which replaces the one of an earlier version. Called once, last.
    func store(root: ByteBuffer, named name: ChordID) async throws
}
