import CLinux
import Glibc
import VersionKitRouter

/// Moving streams without copying them.
extension RelayLoop {
    /// SPLICE_F_MOVE and SPLICE_F_NONBLOCK.
    private static let flags: UInt32 = 3
    /// After a splice of fewer bytes the socket is most likely empty.
    private static let goesOnBytesMin = 64 << 10

    /// Moves one pipe's worth of bytes. `nil`: the connection is broken; false: no more for now.
    func splice(
        _ connection: RelayedConnection, _ from: RelayEnd, _ to: RelayEnd, by pipe: consuming SplicePipe
    ) -> Bool? {
        let received = vk_splice(from.socket, pipe.input, SplicePipe.capacity, Self.flags)
        guard received > 0 else {
            let reason = errno
            pipes.give(pipe)
            errno = reason
            if received == 0 { from.isFinished = true }
            return received == 0 || reason == EAGAIN ? false : nil
        }
        count(connection, received, fromFar: from === connection.far)
        from.splice.moved(received)
        pipe.bytes = received
        to.pipe = pipe
        guard flushPipe(to) else { return nil }
        return to.pipe == nil && received >= Self.goesOnBytesMin
    }

    /// Sends what is in an end's pipe. False: the connection is broken.
    func flushPipe(_ end: RelayEnd) -> Bool {
        guard var pipe = end.pipe else { return true }
        end.pipe = nil
        while pipe.bytes > 0 {
            let sent = vk_splice(pipe.output, end.socket, pipe.bytes, Self.flags)
            guard sent > 0 else {
                let reason = errno
                end.pipe = pipe
                errno = reason
                return sent < 0 && reason == EAGAIN
            }
            pipe.bytes -= sent
        }
        pipes.give(pipe)
        return true
    }
}
