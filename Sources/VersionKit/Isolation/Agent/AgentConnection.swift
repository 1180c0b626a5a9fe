import CLinux
import Glibc
import Synchronization
import VersionKitProcesses

/// A conversation with the agent of an environment (`versionkit-environment`): a command and its answer are a line each.
///
/// Before the version is started the end of the conversation ends the environment; afterwards it does not. Thread-safe:
/// commands are answered in their order.
public final class AgentConnection: Sendable {
    /// What a version that vanished with its whole environment is said to have ended with: as one that was killed.
    static let vanished: Int32 = 128 + SIGKILL
    /// How long an agent may take to notice that a conversation is over.
    private static let leaveLimit = Duration.seconds(5)

    private let state: Mutex<State>
    private let exits: AsyncStream<Int32>
    private let exit: AsyncStream<Int32>.Continuation

    private struct State {
        /// `nil`: the conversation is interrupted.
        var socket: SocketEnd?
        /// Commands that were given meanwhile: one for each of those that wait.
        var unsent: [[UInt8]] = []
        /// Who waits for the agent to notice that it is interrupted.
        var leaving: CheckedContinuation<Void, Never>?
        /// Who waits for answers, in the order of the commands.
        var waiting: [CheckedContinuation<String?, Never>] = []
        var isClosed = false
        /// Whether the version runs, as far as was heard.
        var isRunning = false
    }

    /// Connects to an agent; `nil` if there is none.
    public static func open(_ address: AgentAddress) async throws(IsolationError) -> AgentConnection? {
        let result = await onThread("agent") {
            Result { () throws(IsolationError) in try AgentSocket.connect(to: address) }
        }
        return try result.get().map { AgentConnection($0) }
    }

    /// Takes over a connected socket.
    private init(_ descriptor: Int32) {
        let socket = SocketEnd(number: descriptor)
        state = Mutex(State(socket: socket))
        // A version ends once for each time it is started: nothing piles up.
        (exits, exit) = AsyncStream.makeStream(of: Int32.self)
        listen(to: socket)
    }

    private func listen(to socket: SocketEnd) {
        SystemThread(name: "environment") { [weak self] in
            readLines(socket.number) { self?.heard($0) }
            self?.ended()
        }.start()
    }

    deinit { close() }

    /// Sends a command and waits for its answer.
    ///
    /// - Parameter contents: bytes that follow the command.
    /// - Throws: if the environment ended, or could not do it.
    @discardableResult
    public func ask(_ words: [String], contents: [UInt8] = []) async throws(IsolationError) -> String {
        let bytes = try Self.line(words) + contents
        let answer = await withCheckedContinuation { continuation in
            let isSent = state.withLock { state in
                guard !state.isClosed else { return false }
                if let socket = state.socket {
                    guard socket.send(bytes) else { return false }
                } else {
                    state.unsent.append(bytes)
                }
                state.waiting.append(continuation)
                return true
            }
            if !isSent { continuation.resume(returning: nil) }
        }
        guard let answer else { throw IsolationError("the environment has ended") }
        if answer.hasPrefix("failed ") { throw IsolationError(String(answer.dropFirst(7))) }
        return answer
    }

    /// A command as agents want it.
    static func line(_ words: [String]) throws(IsolationError) -> [UInt8] {
        guard words.allSatisfy({ !$0.contains { $0 == "\t" || $0 == "\n" } }) else {
            throw IsolationError("a command's words may not contain tabs or newlines: \(words)")
        }
        return Array((words.joined(separator: "\t") + "\n").utf8)
    }

    /// The version's exit code, once it has ended; `nil` when the conversation was closed.
    public func versionExit() async -> Int32? {
        for await code in exits { return code }
        return nil
    }

    /// Ends the conversation.
    public func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        // Wakes the thread that reads, which closes it.
        if isFirst { lose() }
    }

    /// The environment is known to have ended, though its agent does not say so any more: whoever waits for it hears of that.
    func lose() { state.withLock { $0.socket }?.shutdown(SHUT_RDWR) }

    /// Ends the conversation, and begins another one after `body`, whatever came of that: nobody else hears of it. Commands
    /// that are given meanwhile wait.
    ///
    /// The version must have been started, or its environment would end.
    func interrupted<Value>(
        _ address: AgentAddress, _ body: () async throws(IsolationError) -> Value
    ) async throws(IsolationError) -> Value {
        try await leave()
        let result: Result<Value, IsolationError>
        do throws(IsolationError) {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try await rejoin(address)
        return try result.get()
    }

    /// Returns when the agent has closed its end, too.
    private func leave() async throws(IsolationError) {
        var limit: Task<Void, any Error>?
        await withCheckedContinuation { continuation in
            let socket = state.withLock { state -> SocketEnd? in
                guard !state.isClosed, let socket = state.socket else { return nil }
                (state.socket, state.leaving) = (nil, continuation)
                return socket
            }
            guard let socket else { return continuation.resume() }
            limit = Task {
                try await Task.sleep(for: Self.leaveLimit)
                socket.shutdown(SHUT_RDWR)
            }
            socket.shutdown(SHUT_WR)
        }
        limit?.cancel()
        guard limit != nil, state.withLock({ !$0.isClosed }) else {
            throw IsolationError("the environment has ended, or is being kept already")
        }
    }

    private func rejoin(_ address: AgentAddress) async throws(IsolationError) {
        let result = await onThread("agent") {
            Result { () throws(IsolationError) in try AgentSocket.connect(to: address) }
        }
        guard let descriptor = try? result.get() else { return finish() }
        let socket = SocketEnd(number: descriptor)
        let wasRunning: Bool? = state.withLock { state in
            guard !state.isClosed, state.unsent.allSatisfy(socket.send) else { return nil }
            (state.socket, state.unsent) = (socket, [])
            return state.isRunning
        }
        guard let wasRunning else { return finish() }
        listen(to: socket)
        // An end that nobody was there to hear of.
        if wasRunning { _ = await hasStarted() }
    }

    private func heard(_ line: String) {
        if line.hasPrefix("exited "), let code = Int32(line.dropFirst(7)) { return noteExit(code) }
        let waiting = state.withLock { state in
            if line == "started" || line == "running" { state.isRunning = true }
            // What ends now was told to.
            if line == "stopped" { state.isRunning = false }
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        waiting?.resume(returning: line)
    }

    /// The version has ended.
    func noteExit(_ code: Int32) {
        state.withLock { $0.isRunning = false }
        exit.yield(code)
    }

    private func ended() {
        let (leaving, isInterrupted) = state.withLock { state in
            defer { state.leaving = nil }
            return (state.leaving, state.leaving != nil && !state.isClosed && state.waiting.count == state.unsent.count)
        }
        if !isInterrupted { finish() }
        leaving?.resume()
    }

    private func finish() {
        let (waiting, hasVanished) = state.withLock { state in
            defer { (state.isClosed, state.waiting, state.unsent) = (true, [], []) }
            return (state.waiting, state.isRunning && !state.isClosed)
        }
        if hasVanished { exit.yield(Self.vanished) }
        exit.finish()
        for continuation in waiting { continuation.resume(returning: nil) }
    }
}

/// A descriptor with two owners, the conversation and the thread that reads.
private final class SocketEnd: Sendable {
    let number: Int32

    init(number: Int32) { self.number = number }

    deinit { close(number) }

    func shutdown(_ how: Int) { Glibc.shutdown(number, Int32(how)) }

    /// False: nobody is there to hear it.
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
