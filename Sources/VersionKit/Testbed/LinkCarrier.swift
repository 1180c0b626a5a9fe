internal import CLinux
internal import Glibc
internal import Synchronization

/// Carries the frames of all links that have a rate or a delay, on one thread.
///
/// AF_PACKET rather than a tap device, because it works for an ordinary user in a user namespace too.
final class LinkCarrier: Sendable {
    /// One direction of one link.
    final class Direction: Sendable {
        let input: Descriptor
        let output: Descriptor
        // A frame with its vk_vnet_header. The thread fills and empties it; others read the counts.
        let queue: Mutex<LinkQueue<[UInt8]>>

        init(from input: Descriptor, to output: Descriptor, link: Link) {
            self.input = input
            self.output = output
            self.queue = Mutex(LinkQueue(link))
        }

        var traffic: LinkTraffic { queue.withLock { $0.traffic } }
    }

    private let directions: [Direction]
    private let stopping: Descriptor
    private let thread: Mutex<WorkerThread?>

    init(_ directions: [Direction]) throws(TestbedError) {
        self.directions = directions
        self.stopping = try Descriptor(checking: eventfd(0, Int32(EFD_CLOEXEC)), "eventfd")
        let loop = try LinkLoop(directions, stopping: stopping)
        self.thread = Mutex(try WorkerThread { loop.run() })
    }

    deinit {
        stop()
    }

    /// Returns when nothing is carried any more. Frames under way are lost, as in a cable that is cut.
    func stop() {
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let thread else { return }
        _ = eventfd_write(stopping.number, 1)
        thread.join()
        for direction in directions {
            direction.input.close()
            direction.output.close()
        }
    }
}
