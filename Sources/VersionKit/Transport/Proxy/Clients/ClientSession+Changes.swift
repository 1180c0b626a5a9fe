import NIOCore

import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// New lists of versions, newer proxies, and the end of a client.
extension ClientSession {
    // MARK: Versions

    func apply(_ newer: VersionTable) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        if newer.generation > table.generation {
            table = newer
            var handler = makeHandler()
            callbacks.versionsChanged(&handler)
            perform(&handler)
            shared.keep(newer.versions)
            for (version, connection) in versions where !newer.versions.contains(version) {
                versions[version] = nil
                connection.close()
            }
        }
        appliedPromises.append(promise)
        process()
        finishTurn()
        return promise.futureResult
    }

    func resolveApplied() {
        // One of those may be saying its last word just now.
        if !table.versions.logged.isEmpty { loop.assumeIsolated().execute { self.leaveLogged() } }
        for promise in appliedPromises { promise.succeed() }
        appliedPromises = []
    }

    /// Closes what is open to versions that do not run any more. They are not asked, and what they owed was answered.
    private func leaveLogged() {
        for version in table.versions.logged {
            guard let connection = versions.removeValue(forKey: version) else { continue }
            var handler = makeHandler()
            callbacks.versionLost(version, &handler)
            perform(&handler)
            connection.close()
        }
        finishTurn()
    }

    // MARK: Newer proxies

    /// Moves to the newer proxy, if there is one, at the boundary between two requests.
    func moveIfPossible() {
        // A datagram that was read is answered here: there is nothing to move.
        guard server.isLeaving, !isDatagram, !isMoving, !isEnding, port != nil, callbacks.isQuiescent else { return }
        guard socket >= 0 else { return drain() }
        guard isAtBoundary else { return }
        isMoving = true
        updateReading()
        // What this turn of the loop has read already is still to come through the pipeline.
        loop.assumeIsolated().execute { self.move() }
    }

    /// Goes on with a connection that cannot move, until it is quiet or has had long enough.
    private func drain() {
        if isDrained { isEnding = true }
        if drainingSince == nil { drainingSince = .now() }
    }

    /// Whether it has had long enough.
    var isDrained: Bool { drainingSince.map { .now() >= $0 + limits.handoverTimeout.timeAmount } ?? false }

    private var isAtBoundary: Bool {
        callbacks.isQuiescent && !isInputClosed && remainder != nil
    }

    /// What goes with the connection, or `nil` if that is too much at the moment.
    var remainder: ClientRemainder? {
        guard unread.count <= limits.handoverBytesMax, let session = callbacks.resumption(),
            session.bytes.readableBytes + unread.count <= limits.handoverBytesMax
        else { return nil }
        let begun = unread.prefix(unread.count).map { Array($0.readableBytesView) } ?? []
        return ClientRemainder(
            bytes: Array(session.bytes.readableBytesView) + begun, silentReplies: session.replies,
            versionPort: versionPort)
    }

    private func move() {
        isMoving = false
        guard let successor = server.successor, isAtBoundary, let port, let rest = remainder else {
            return updateReading()
        }
        isEnding = true
        finishTurn()
        // What was still to be sent may have shown that the client is gone.
        if socket >= 0, !successor(socket, rest) { server.count { $0.refused += 1 } }
        port.close()
    }

    // MARK: The end

    func inputClosed() {
        isInputClosed = true
        endIfDone()
    }

    func endIfDone() {
        guard isEnding || (isInputClosed && callbacks.isQuiescent) else { return endIfOrphaned() }
        isEnding = true
        finishTurn()
        port?.close()
    }

    /// The client's connection is gone.
    func clientGone() {
        port = nil
        unread = PeekBuffer()
        socket = -1
        isEnding = true
        shared.forget(self)
        // Its connections to versions may have waited for it to take bytes.
        for version in versions.values { version.setReading(true) }
        endIfOrphaned()
    }

    /// Without its client a session goes on until the writes are done that were sent to several versions: cut off in
    /// the middle, some versions would have done them and some not.
    private func endIfOrphaned() {
        guard port == nil, isEnding, callbacks.isQuiescent || table.versions.count < 2 else { return }
        for version in versions.values { version.close() }
        versions = [:]
        resolveApplied()
        server.unregister(ObjectIdentifier(self))
    }
}
