import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// What comes over the connections that clients share.
extension ClientSession {
    /// Replies came, the first of which is this client's.
    ///
    /// - Returns: how many of them were; 0 if the first is not complete.
    func receivedShared(_ bytes: inout PeekBuffer, from version: Version) throws(ProxyError) -> Int {
        var handler = makeHandler()
        bytes.resetPeek()
        let used = try callbacks.handleSharedReply(version, &bytes, &handler)
        bytes.consume(used)
        let replies = handler.sharedReplies
        perform(&handler)
        holdIfStalled()
        return replies
    }

    /// The replies of this turn of the loop were all received.
    func finishSharedTurn() {
        process()
        finishTurn()
    }

    /// A shared connection ended, and this client's replies with it.
    func lostShared(_ version: Version, wasOpen: Bool) {
        var handler = makeHandler(unreached: wasOpen ? nil : version)
        callbacks.sharedConnectionLost(version, &handler)
        perform(&handler)
        finishSharedTurn()
    }

    /// Other clients wait for one that takes no bytes only if it would hold too much of them otherwise: a client that is
    /// sent much soon has connections of its own (``Limits/sharedReplyBytesMax``).
    private func holdIfStalled() {
        if port != nil, stalledBytes > limits.unsentBytesMax { shared.hold(for: self) }
    }
}
