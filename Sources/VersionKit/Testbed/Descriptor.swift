internal import Glibc
internal import Synchronization

/// A file descriptor with one owner, who may close it before going away.
final class Descriptor: Sendable {
    private let state: Mutex<Int32>

    init(_ number: Int32) {
        self.state = Mutex(number)
    }

    /// Takes ownership of what a call returned.
    convenience init(checking number: Int32, _ attempt: @autoclosure () -> String)
        throws(TestbedError)
    {
        if number < 0 { throw TestbedError.system(attempt()) }
        self.init(number)
    }

    deinit {
        close()
    }

    /// -1 once closed.
    var number: Int32 { state.withLock { $0 } }

    /// Keeps others from closing it meanwhile: its number could come to mean something else.
    func use<Result>(_ body: (Int32) throws(TestbedError) -> Result) throws(TestbedError) -> Result {
        try state.withLock { (number) throws(TestbedError) -> Result in
            if number < 0 { throw TestbedError(.stopped, "the testbed was stopped") }
            return try body(number)
        }
    }

    func close() {
        state.withLock { number in
            if number >= 0 { _ = Glibc.close(number) }
            number = -1
        }
    }
}
