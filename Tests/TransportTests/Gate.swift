import Glibc

/// Threads wait in front of it until it is opened.
final class Gate: Sendable {
    private let descriptors: (read: Int32, write: Int32)

    init() {
        var pair: [Int32] = [0, 0]
        precondition(pipe(&pair) == 0, "no pipe")
        descriptors = (pair[0], pair[1])
    }

    deinit {
        open()
        close(descriptors.read)
    }

    /// Returns once it is open.
    func pass() {
        var event = pollfd(fd: descriptors.read, events: Int16(POLLIN), revents: 0)
        poll(&event, 1, -1)
    }

    /// Opens it for ever.
    func open() {
        var byte: UInt8 = 1
        write(descriptors.write, &byte, 1)
    }
}
