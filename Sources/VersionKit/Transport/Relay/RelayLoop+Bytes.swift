import Glibc
import NIOCore
import VersionKitModel
import VersionKitRouter
import VersionKitWire

/// Moving bytes from one end of a connection to the other. Both ends are non-blocking; what one end does not take is kept,
/// and the other is not read until it has left.
extension RelayLoop {
    /// Reads of one direction before others get their turn.
    private static let readsMax = 16

    /// Does what epoll says can be done.
    func relay(_ connection: RelayedConnection, far: Bool, _ events: UInt32) {
        guard let other = connection.far else { return }
        let end = far ? other : connection.near
        var isFine = true
        // A peer's router that refuses says so in a header before its reset, which is read first if that is possible.
        let mayHoldHeader = end.header != nil && !(far ? connection.near : other).isBehind
        if events & Epoll.failure != 0, !mayHoldHeader {
            errno = Sockets.error(of: end.socket)
            isFine = false
        } else {
            if events & Epoll.output != 0 { isFine = pump(connection, fromFar: !far) }
            if events & ~Epoll.output != 0 { isFine = isFine && pump(connection, fromFar: far) }
        }
        settle(connection, isFine: isFine, hungUp: events & Epoll.hangUp != 0 ? far : nil)
    }

    /// Moves what can be moved from one end to the other. False: the connection is broken, and `errno` says why.
    func pump(_ connection: RelayedConnection, fromFar: Bool) -> Bool {
        guard let far = connection.far else { return true }
        let from = fromFar ? far : connection.near
        let to = fromFar ? connection.near : far
        guard flush(to) else { return false }
        var reads = 0
        while !to.isBehind, !from.isFinished, reads < Self.readsMax {
            reads += 1
            if from.splice.isSplicing, to.prefix == nil, let pipe = pipes.take() {
                guard let mayGoOn = splice(connection, from, to, by: pipe) else { return false }
                if mayGoOn { continue }
                break
            }
            let received = recv(from.socket, readArea.baseAddress, readArea.count, 0)
            if received < 0 {
                if errno == EAGAIN { break }
                if errno == EINTR { continue }
                return false
            }
            if received == 0 { from.isFinished = true }
            if from.header != nil {
                from.header?.writeBytes(UnsafeRawBufferPointer(rebasing: readArea[..<received]))
                guard awaitedHeader(connection, from, to) else { return false }
                continue
            }
            guard received > 0 else { break }
            count(connection, received, fromFar: fromFar)
            from.splice.moved(received)
            guard transmit(received, to: to, of: connection) else { return false }
            if received < readArea.count { break }
        }
        return finish(from, to)
    }

    func count(_ connection: RelayedConnection, _ bytes: Int, fromFar: Bool) {
        connection.flow?.moved(
            bytes, toPeer: fromFar != connection.isOutbound, isDelivery: !connection.isOutbound)
        if fromFar, connection.provesPlain {
            connection.provesPlain = false
            plainPeers.found(connection.peer, at: now)
        }
    }

    /// The peer's own header, in front of the first bytes that it sends on a connection out of a pool.
    private func awaitedHeader(_ connection: RelayedConnection, _ from: RelayEnd, _ to: RelayEnd) -> Bool {
        guard let bytes = from.header else { return true }
        let decoded =
            from.isFinished
            ? VersionHeader.decodeAtEnd(bytes, limits: limits) : VersionHeader.decode(bytes, limits: limits)
        errno = ECONNRESET
        switch decoded {
        case .needMore: return true
        case .absent:
            // A router that answered here before has gone since.
            lose(connection.peer)
            return false
        case .invalid(let fault):
            refuse(fault.rawValue, connection)
            return false
        case .header(let header, let length):
            guard isAnswer(header, connection) else { return false }
            from.header = nil
            to.unsent =
                bytes.getSlice(
                    at: bytes.readerIndex + length, length: bytes.readableBytes - length) ?? ByteBuffer()
            if to.unsent.readableBytes > 0 { count(connection, to.unsent.readableBytes, fromFar: true) }
            return flush(to)
        }
    }

    /// Sends what was just read, behind a header that is still due.
    private func transmit(_ count: Int, to end: RelayEnd, of connection: RelayedConnection) -> Bool {
        var start = limits.headerBytesMax
        if let prefix = end.prefix {
            start -= prefix.readableBytes
            prefix.withUnsafeReadableBytes {
                UnsafeMutableRawBufferPointer(rebasing: scratch[start...]).copyMemory(from: $0)
            }
            if end === connection.near { waiting.greeting.leave(connection.id) }
            end.prefix = nil
        }
        let bytes = UnsafeRawBufferPointer(rebasing: scratch[start..<limits.headerBytesMax + count])
        let sent = send(end.socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if sent < 0, errno != EAGAIN { return false }
        if max(sent, 0) < bytes.count {
            end.unsent.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[max(sent, 0)...]))
        }
        return true
    }

    /// Sends a header that is still due, alone.
    func sendPrefix(to end: RelayEnd) -> Bool {
        guard let prefix = end.prefix else { return true }
        end.prefix = nil
        end.unsent.writeImmutableBuffer(prefix)
        return flush(end)
    }

    func flush(_ end: RelayEnd) -> Bool {
        while end.unsent.readableBytes > 0 {
            let sent = end.unsent.withUnsafeReadableBytes {
                send(end.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 { return errno == EAGAIN }
            end.unsent.moveReaderIndex(forwardBy: sent)
            // An idle connection keeps no buffer.
            if end.unsent.readableBytes == 0 { end.unsent = ByteBuffer() }
        }
        return flushPipe(end)
    }

    /// Passes the end of one side on, once everything before it was sent.
    private func finish(_ from: RelayEnd, _ to: RelayEnd) -> Bool {
        guard from.isFinished, !to.isShut, !to.isBehind, from.header == nil else { return true }
        guard sendPrefix(to: to) else { return false }
        if to.isBehind { return true }
        to.isShut = true
        shutdown(to.socket, Int32(SHUT_WR))
        return true
    }
}
