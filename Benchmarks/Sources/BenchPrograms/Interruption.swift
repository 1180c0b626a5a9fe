import Foundation
import Glibc

/// Ends everything when somebody interrupts.
package enum Interruption {
    /// To be called before there is any other thread, since threads inherit what is blocked.
    package static func watch() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // Who closes a connection early is told by `send`.
        signal(SIGPIPE, SIG_IGN)
        let thread = Thread {
            var waited = sigset_t()
            sigemptyset(&waited)
            for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&waited, signal) }
            var signal: Int32 = 0
            while sigwait(&waited, &signal) != 0 {}
            Children.exitAll(128 + signal)
        }
        thread.start()
    }
}
