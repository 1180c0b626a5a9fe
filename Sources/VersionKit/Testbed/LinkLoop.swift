internal import CLinux
internal import Glibc
internal import Synchronization

/// What the thread of a `LinkCarrier` does: frames from sockets into queues, and when they are due from
/// queues into sockets.
struct LinkLoop: Sendable {
    // A frame may be a packet of 64 KiB that the sender left to its network card to cut up.
    private static var frameBytesMax: Int { 1 << 17 }
    // A busy direction may not keep the others waiting.
    private static var framesAtOnce: Int { 64 }
    private static var stopTag: UInt64 { .max }
    private static var timerTag: UInt64 { .max - 1 }

    private let directions: [LinkCarrier.Direction]
    private let poller: Descriptor
    private let timer: Descriptor

    init(_ directions: [LinkCarrier.Direction], stopping: Descriptor) throws(TestbedError) {
        self.directions = directions
        poller = try Descriptor(checking: epoll_create1(Int32(EPOLL_CLOEXEC)), "epoll_create1")
        timer = try Descriptor(
            checking: timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK)),
            "timerfd_create")
        try watch(stopping, Self.stopTag)
        try watch(timer, Self.timerTag)
        for (index, direction) in directions.enumerated() { try watch(direction.input, UInt64(index)) }
    }

    func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.frameBytesMax, alignment: 16)
        defer { buffer.deallocate() }
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(poller.number, &events, Int32(events.count), -1)
            // Only EINTR is possible, and even that only in a debugger: this thread takes no signals.
            for event in events.prefix(max(0, Int(count))) {
                switch event.data.u64 {
                case Self.stopTag: return
                case Self.timerTag: clearTimer()
                case let index: receive(directions[Int(index)], buffer)
                }
            }
            setTimer(deliverAll())
        }
    }

    private func receive(_ direction: LinkCarrier.Direction, _ buffer: UnsafeMutableRawBufferPointer) {
        let headerBytes = MemoryLayout<vk_vnet_header>.size
        for _ in 0..<Self.framesAtOnce {
            let count = read(direction.input.number, buffer.baseAddress, buffer.count)
            // No more for now, or the interface is down: the poller will say when there are others.
            guard count > headerBytes else { return }
            let frame = [UInt8](buffer[..<count])
            let now = monotonicNanoseconds()
            _ = direction.queue.withLock { $0.enqueue(frame, bytes: count - headerBytes, at: now) }
        }
    }

    // Gives out all frames that are due, and says when the next will be.
    private func deliverAll() -> Int64? {
        var next: Int64?
        let now = monotonicNanoseconds()
        for direction in directions {
            while let frame = direction.queue.withLock({ $0.dequeue(at: now) }) {
                if write(direction.output.number, frame, frame.count) < 0 {
                    direction.queue.withLock { $0.noteRefused() }
                }
            }
            if let due = direction.queue.withLock({ $0.nextDue }) { next = min(next ?? due, due) }
        }
        return next
    }

    private func setTimer(_ due: Int64?) {
        // All zero turns it off; a time in the past is fine and means now.
        var setting = itimerspec()
        if let due {
            setting.it_value = timespec(
                tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
        }
        timerfd_settime(timer.number, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }

    private func clearTimer() {
        var expirations: UInt64 = 0
        _ = read(timer.number, &expirations, MemoryLayout<UInt64>.size)
    }

    private func watch(_ descriptor: Descriptor, _ tag: UInt64) throws(TestbedError) {
        var event = epoll_event()
        event.events = UInt32(EPOLLIN.rawValue)
        event.data.u64 = tag
        if epoll_ctl(poller.number, EPOLL_CTL_ADD, descriptor.number, &event) < 0 {
            throw TestbedError.system("epoll_ctl")
        }
    }

    private func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
