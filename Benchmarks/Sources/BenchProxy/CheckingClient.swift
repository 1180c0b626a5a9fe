import Foundation
import Glibc
import Synchronization

/// Clients that remember what they were told is done: one INCR of a counter and one SET of a new key, in turn.
final class CheckingClient: Sendable {
    struct Tally {
        /// How many INCRs were acknowledged.
        var increments = 0
        /// The numbers of the keys whose SET was acknowledged.
        var keys: [Int] = []
        var failed = 0

        var acknowledged: Int { increments + keys.count }
    }

    let name: String
    private let port: UInt16
    private let state = Mutex(Tally())
    private let shouldStop = Mutex(false)
    private let done = DispatchSemaphore(value: 0)

    init(_ name: String, port: UInt16) {
        self.name = name
        self.port = port
        let thread = Thread { [self] in
            work()
            done.signal()
        }
        thread.start()
    }

    var acknowledged: Int { state.withLock { $0.acknowledged } }

    func stop() { shouldStop.withLock { $0 = true } }

    func finish() -> Tally {
        stop()
        done.wait()
        return state.withLock { $0 }
    }

    private func work() {
        var connection: RedisConnection?
        var number = 0
        while !shouldStop.withLock({ $0 }) {
            do {
                let open = try connection ?? RedisConnection(port: port)
                connection = open
                // Whatever the answer is, no key is used twice: it may have been written without an answer.
                number += 1
                let increment = try open.ask("INCR", "counter:\(name)")
                if case .integer = increment {
                    state.withLock { $0.increments += 1 }
                } else {
                    state.withLock { $0.failed += 1 }
                }
                let set = try open.ask("SET", "item:\(name):\(number)", "\(number)")
                if set == .text("OK") {
                    state.withLock { $0.keys.append(number) }
                } else {
                    state.withLock { $0.failed += 1 }
                }
            } catch {
                state.withLock { $0.failed += 1 }
                connection = nil
                usleep(10_000)
            }
        }
    }
}
