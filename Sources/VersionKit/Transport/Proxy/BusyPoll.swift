import CLinux
import Glibc
import NIOCore

/// Keeps an event loop awake for a moment after it had something to do.
///
/// To sleep and be woken again takes longer than most servers take to answer: tens of microseconds on a virtual machine.
/// As long as the next bytes come within ``Limits/busyPollTime`` the loop looks for them instead of sleeping; how often it
/// tries where that is in vain, ``BusyPollPace`` says.
///
/// NIO's loop has no such mode, and what runs on the loop keeps it from asking the kernel; so the sockets are in a set of
/// our own, too, which is only ever asked whether there is anything. Lives on its loop.
final class BusyPoll {
    private let loop: any EventLoop
    private let window: TimeAmount
    private let epoll: Int32
    private var isDue = false
    private var events = 0
    private var pace = BusyPollPace()

    init(_ loop: any EventLoop, window: TimeAmount) {
        self.loop = loop
        self.window = window
        epoll = window > .zero ? epoll_create1(Int32(EPOLL_CLOEXEC)) : -1
    }

    deinit { if epoll >= 0 { close(epoll) } }

    /// Looks at this socket, too. Where that cannot be had, its loop sleeps as it would.
    func add(_ descriptor: Int32) {
        guard epoll >= 0, descriptor >= 0 else { return }
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: descriptor))
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    /// Does not look at it any more; called before it is closed. The kernel forgets one that is closed without this, too.
    func remove(_ descriptor: Int32) {
        guard epoll >= 0, descriptor >= 0 else { return }
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Something happened on the loop.
    func noteEvent() {
        guard epoll >= 0 else { return }
        events += 1
        guard !isDue else { return }
        isDue = true
        // After all events of this turn, and after what they have left to be done.
        loop.assumeIsolated().execute { self.loop.assumeIsolated().execute { self.look() } }
    }

    private func look() {
        isDue = false
        defer { events = 0 }
        guard pace.turnEnded(events: events) == .look else { return }
        let end = NIODeadline.now() + window
        var event = epoll_event()
        repeat {
            guard epoll_wait(epoll, &event, 1, 0) == 0 else { return pace.looked(found: true) }
        } while NIODeadline.now() < end
        pace.looked(found: false)
    }
}
