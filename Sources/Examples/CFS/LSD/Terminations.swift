import Dispatch
import Glibc

/// The signals by which people and systems end a program.
enum Terminations {
    /// One element for each that comes from now on.
    static func stream() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            for number in [SIGTERM, SIGINT] {
                signal(number, SIG_IGN)
                // Dispatch's objects may be used from any thread; its types do not say so.
                nonisolated(unsafe) let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield() }
                source.setCancelHandler { withExtendedLifetime(source) {} }
                source.resume()
            }
        }
    }
}
