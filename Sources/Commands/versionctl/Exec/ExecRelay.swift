import CLinux
import Glibc
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// Passes on what an operator and a command say to each other: a thread for the input, one for signals, one for the output.
struct ExecRelay: Sendable {
    private static let signals = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGWINCH]

    private let connection: ExecConnection
    private let terminal: OperatorTerminal?

    init(_ connection: ExecConnection, _ terminal: OperatorTerminal?) {
        self.connection = connection
        self.terminal = terminal
    }

    /// Passes everything on until the command ends: its exit code, or `nil` if the conversation ended before.
    func run() async -> Int32? {
        forwardSignals()
        terminal?.passOn()
        defer { terminal?.restore() }
        SystemThread(name: "input") { passInput() }.start()
        return await onThread("output") { passOutput() }
    }

    private func passInput() {
        var buffer = [UInt8](repeating: 0, count: ExecFrame.bytesMax)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            // Whoever cannot be told any more is told of the end by the other direction.
            guard (try? connection.send(.input(Array(buffer[..<max(0, count)])))) != nil, count > 0 else { return }
        }
    }

    private func passOutput() -> Int32? {
        while let frame = try? connection.next() {
            switch frame {
            case .output(let bytes): write(bytes, to: STDOUT_FILENO)
            case .error(let bytes): write(bytes, to: STDERR_FILENO)
            case .exit(let code): return code
            case .input, .window, .signal: return nil
            }
        }
        return nil
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Without a reader there is no use in going on: SIGPIPE has ended this program, or nobody wants to know.
            guard count > 0 else { return }
            written += count
        }
    }

    /// Signals are the command's, not this program's.
    private func forwardSignals() {
        var ends: [Int32] = [0, 0]
        guard vk_pipe2(&ends, 0) == 0 else { return }
        signalPipe = ends[1]
        for number in Self.signals {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = Glibc.write(signalPipe, &byte, 1)
            }
        }
        let source = ends[0]
        SystemThread(name: "signals") {
            var byte: UInt8 = 0
            while read(source, &byte, 1) == 1 {
                if Int32(byte) != SIGWINCH {
                    try? connection.send(.signal(Int32(byte)))
                } else if let terminal {
                    try? connection.send(.window(terminal.size))
                }
            }
        }.start()
    }
}

/// Where a signal's handler, which may do little else, writes its number. Set once, before there is a handler.
private nonisolated(unsafe) var signalPipe: Int32 = -1
