import Glibc
import NIOCore
import VersionKitModel
import VersionKitWire

/// Moving bytes from one end of a connection to the other. Both ends are non-blocking; what one end does not take is kept,
/// and the other is not read until it has left.
extension RelayLoop {
    /// Moves what can be moved from one end to the other. False: the connection is broken.
    func pump(_ connection: RelayedConnection, fromFar: Bool) -> Bool {
        guard let far = connection.far else { return true }
        var from = fromFar ? far : connection.near
        var to = fromFar ? connection.near : far
        defer {
            connection.near = fromFar ? to : from
            connection.far = fromFar ? from : to
        }
        guard flush(&to) else { return false }
        while to.unsent.readableBytes == 0, !from.isFinished {
            let received = recv(from.socket, scratch.baseAddress, scratch.count, 0)
            if received < 0 {
                if errno == EAGAIN { break }
                return errno == EINTR
            }
            if received == 0 {
                from.isFinished = true
                if from.header != nil { return awaitedHeader(connection, &from, &to, atEnd: true) && finish(from, &to) }
                break
            }
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<received])
            if from.header != nil {
                from.header?.writeBytes(bytes)
                guard awaitedHeader(connection, &from, &to, atEnd: false) else { return false }
                continue
            }
            counters.bytes += UInt64(received)
            if !fromFar, !connection.isOutbound, let owner = connection.owner { count(owner) }
            guard transmit(bytes, to: &to) else { return false }
            if received < scratch.count { break }
        }
        return finish(from, &to)
    }

    /// The peer's own header, in front of the first bytes that it sends.
    func awaitedHeader(
        _ connection: RelayedConnection, _ from: inout RelayEnd, _ to: inout RelayEnd, atEnd: Bool
    ) -> Bool {
        guard let bytes = from.header else { return true }
        let decoded =
            atEnd ? VersionHeader.decodeAtEnd(bytes, limits: limits) : VersionHeader.decode(bytes, limits: limits)
        var rest = bytes
        switch decoded {
        case .needMore: return true
        case .absent: counters.plain += 1
        case .invalid(let fault):
            refuse(fault.rawValue, peer: connection.peer)
            return false
        case .header(let header, let length):
            rest.moveReaderIndex(forwardBy: length)
            onEvent(.heard(header, from: connection.peer.address))
        }
        from.header = nil
        to.unsent.writeBuffer(&rest)
        return flush(&to)
    }

    func transmit(_ bytes: UnsafeRawBufferPointer, to end: inout RelayEnd) -> Bool {
        let sent = send(end.socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if sent < 0, errno != EAGAIN { return false }
        if max(sent, 0) < bytes.count {
            end.unsent.clear()
            end.unsent.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[max(sent, 0)...]))
        }
        return true
    }

    func flush(_ end: inout RelayEnd) -> Bool {
        while end.unsent.readableBytes > 0 {
            let sent = end.unsent.withUnsafeReadableBytes {
                send(end.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 { return errno == EAGAIN }
            end.unsent.moveReaderIndex(forwardBy: sent)
        }
        return true
    }

    /// Passes the end of one side on, once everything before it was sent.
    func finish(_ from: RelayEnd, _ to: inout RelayEnd) -> Bool {
        if from.isFinished, to.unsent.readableBytes == 0, !to.isShut {
            to.isShut = true
            shutdown(to.socket, Int32(SHUT_WR))
        }
        return true
    }
}
