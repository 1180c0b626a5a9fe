import NIOCore

/// Runs tasks on an event loop: what comes by a socket for an actor of the same loop needs no other thread, and is not late when
/// all others have much to do.
final class LoopTasks: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
