import CLinux
import Glibc
import Synchronization
public import VersionKitModel
import VersionKitProcesses

/// A conversation with a command that runs in an environment: docs/exec.md. Its end hangs the command up.
///
/// Thread-safe, but one thread at most receives. Sending and receiving block: they are not for Swift's own threads.
public final class ExecConnection: Sendable {
    /// How long an agent may take to start a command.
    private static let startSeconds = 10
    private static let answerBytesMax = 4096

    private let descriptor: Int32
    private let reader = Mutex(ExecFrameReader())
    private let sending = Mutex(())

    /// Starts a command; `nil` if no agent listens there.
    ///
    /// - Parameters:
    ///   - command: the program, searched for in the usual directories if it has no slash, and its arguments.
    ///   - terminal: the size of the terminal that it is to have; `nil`: none, and its two outputs are told apart.
    ///   - terminalKind: what that terminal understands, as `TERM` says it.
    public static func open(
        _ address: AgentAddress, _ command: [String], terminal: TerminalSize? = nil, terminalKind: String = "dumb"
    ) async throws(IsolationError) -> ExecConnection? {
        let size = terminal ?? TerminalSize(rows: 0, columns: 0)
        let line = try AgentConnection.line(["exec", "\(size.rows)", "\(size.columns)", terminalKind] + command)
        return try await onThread("exec") {
            Result { () throws(IsolationError) -> ExecConnection? in
                guard let descriptor = try AgentSocket.connect(to: address) else { return nil }
                let connection = ExecConnection(descriptor)
                try connection.start(line)
                return connection
            }
        }.get()
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    private func start(_ line: [UInt8]) throws(IsolationError) {
        var limit = timeval(tv_sec: Self.startSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try send(line)
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        // Behind the line there are frames already.
        while recv(descriptor, &byte, 1, 0) == 1, byte != UInt8(ascii: "\n"), answer.count < Self.answerBytesMax {
            answer.append(byte)
        }
        let text = String(decoding: answer, as: UTF8.self)
        guard text == "open" else {
            throw IsolationError(
                text.hasPrefix("failed ") ? String(text.dropFirst(7)) : "the environment's agent did not answer")
        }
        limit.tv_sec = 0
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Says something to the command. Blocks while that reads nothing.
    ///
    /// - Throws: if the conversation has ended.
    public func send(_ frame: ExecFrame) throws(IsolationError) {
        try sending.withLock { _ throws(IsolationError) in try send(frame.bytes) }
    }

    private func send(_ bytes: [UInt8]) throws(IsolationError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw IsolationError("the conversation with the command has ended") }
            sent += count
        }
    }

    /// Waits for what the command says next; `nil` if the conversation ended, usually after ``ExecFrame/exit(_:)``.
    public func next() throws(IsolationError) -> ExecFrame? {
        var buffer = [UInt8](repeating: 0, count: ExecFrame.bytesMax)
        while true {
            do throws(ExecFrameReader.Violation) {
                if let frame = try reader.withLock({ reader throws(ExecFrameReader.Violation) in try reader.next() }) {
                    return frame
                }
            } catch {
                throw IsolationError("the agent's answer is not understood: another version of it runs there")
            }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            reader.withLock { $0.append(buffer[..<count]) }
        }
    }

    /// Ends the conversation: whoever waits for it goes on.
    public func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
