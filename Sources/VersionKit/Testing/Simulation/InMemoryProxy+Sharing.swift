import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Connections that clients share: whoever is owed a reply gets it, in the order in which they asked.
extension InMemoryProxy {
    /// The name under which shared connections are found among the clients'.
    public static var everybody: String { "everybody" }

    /// The connection of all clients to one version.
    struct SharedLink {
        var isOpen = false
        var isDropped = false
        var sent = ByteBuffer()
        var replies = PeekBuffer()
        var owed: [(client: String, replies: Int)] = []
    }

    mutating func sendShared(_ bytes: ByteBuffer, _ replies: Int, to version: Version, _ client: String) {
        shared[version, default: SharedLink()].isOpen = true
        shared[version]?.sent.writeImmutableBuffer(bytes)
        shared[version]?.owed.append((client, replies))
    }

    mutating func answerShared(_ bytes: ByteBuffer, from version: Version) {
        guard var buffer = shared[version]?.replies else { return }
        buffer.append(bytes)
        shared[version]?.replies = PeekBuffer()
        var served: [String] = []
        while buffer.count > 0 {
            guard let client = shared[version]?.owed.first?.client else {
                dropShared(version)
                return loseShared(version)
            }
            var handler = makeHandler()
            buffer.resetPeek()
            do throws(ProxyError) {
                buffer.consume(try clients[client]?.proxy.handleSharedReply(from: version, &buffer, &handler) ?? 0)
            } catch {
                dropShared(version)
                return loseShared(version)
            }
            let replies = handler.sharedReplies
            perform(&handler, client)
            guard replies > 0 else { break }
            served.append(client)
            shared[version]?.owed[0].replies -= replies
            if shared[version]?.owed[0].replies == 0 { shared[version]?.owed.removeFirst() }
        }
        shared[version]?.replies = buffer
        for client in served { process(client) }
    }

    mutating func loseShared(_ version: Version) {
        guard let lost = shared[version] else { return }
        shared[version] = SharedLink(isDropped: lost.isDropped)
        var told: Set<String> = []
        for (client, _) in lost.owed where told.insert(client).inserted {
            var handler = makeHandler()
            clients[client]?.proxy.sharedConnectionLost(version, &handler)
            perform(&handler, client)
            process(client)
        }
    }

    /// The proxy closes it: what is on it is gone.
    mutating func dropShared(_ version: Version) {
        guard shared[version]?.isOpen == true else { return }
        shared[version]?.isDropped = true
        shared[version]?.isOpen = false
        shared[version]?.sent = ByteBuffer()
    }

    mutating func takeSharedSent(to version: Version) -> ByteBuffer {
        defer { shared[version]?.sent = ByteBuffer() }
        return shared[version]?.sent ?? ByteBuffer()
    }

    mutating func takeSharedDropped(_ version: Version) -> Bool {
        defer { shared[version]?.isDropped = false }
        return shared[version]?.isDropped ?? false
    }
}
