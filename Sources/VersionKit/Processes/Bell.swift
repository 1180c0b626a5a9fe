import CLinux
import Glibc

/// A descriptor that becomes readable once somebody rang, for whoever waits for other descriptors, too.
final class Bell: Sendable {
    let descriptor: Int32

    init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(descriptor) }

    func ring() { eventfd_write(descriptor, 1) }
}
