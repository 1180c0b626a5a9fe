internal import Glibc

/// A thread of our own, for work that blocks: Swift's pool has too few for that.
struct WorkerThread: Sendable {
    private let thread: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    init(_ run: @escaping @Sendable () -> Void) throws(TestbedError) {
        let body = Unmanaged.passRetained(Body(run))
        // Signals are for the threads that expect them.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard failure == 0 else {
            body.release()
            errno = failure
            throw TestbedError.system("cannot start a thread")
        }
        self.thread = thread
    }

    func join() {
        pthread_join(thread, nil)
    }

    func detach() {
        pthread_detach(thread)
    }
}
