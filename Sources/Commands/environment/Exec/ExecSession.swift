import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses

/// A command that runs for an operator, and the conversation about it: a process of its own beside the agent.
///
/// It ends with the command, whose output is sent to its end, or with the conversation: then the command is hung up, as one
/// on a terminal that is gone.
struct ExecSession {
    /// The descriptor by which the conversation is inherited, and what is between the surroundings and the command.
    static let socket: Int32 = 3
    static let separator = "--"
    /// How much waits here in either direction, in bytes, before nothing more is read.
    private static let pendingMax = 2 * ExecFrame.bytesMax
    /// How long the other side may take to read the last of the command's output, in milliseconds.
    private static let lastWordsMilliseconds: Int32 = 10_000

    private let socket = Self.socket
    private let program: ExecProgram
    private var reader = ExecFrameReader()
    private var toProgram = PendingBytes()
    private var toOperator = PendingBytes()
    private var inputEnds = false
    private var code: Int32?

    /// Runs a command for whoever is at the other end of the inherited socket.
    static func run(_ arguments: [String]) throws(Failure) -> Never {
        let parts = arguments.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let plan = ExecPlan(words: Array(parts[1])) else { throw Failure("session: of what?") }
        let surroundings = try Surroundings(arguments: Array(parts[0]))
        signal(SIGPIPE, SIG_IGN)
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        do throws(SystemError) {
            var session = ExecSession(program: try ExecProgram(plan, surroundings))
            session.toOperator.append(Array("open\n".utf8))
            while session.goesOn() {}
            exit(0)
        } catch {
            _ = "failed \(error)\n".withCString { write(socket, $0, strlen($0)) }
            exit(1)
        }
    }

    private init(program: ExecProgram) { self.program = program }

    /// Waits until something can be done, and does it. False: the conversation is over.
    private mutating func goesOn() -> Bool {
        let event = waitForEvent()
        if code == nil { code = program.exitCode() }
        let hears = event & Int16(POLLIN | POLLHUP | POLLERR) == 0 || hear()
        feedProgram()
        for output in program.outputs where toOperator.count < Self.pendingMax { read(output) }
        guard hears, toOperator.flush(to: socket) else {
            program.hangUp()
            return false
        }
        guard let code, program.outputs.isEmpty else { return true }
        toOperator.append(ExecFrame.exit(code).bytes)
        while toOperator.flush(to: socket), !toOperator.isEmpty {
            var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            if poll(&entry, 1, Self.lastWordsMilliseconds) == 0 { break }
        }
        return false
    }

    /// What happened at the socket.
    private func waitForEvent() -> Int16 {
        let hasRoom = toOperator.count < Self.pendingMax
        var events = toProgram.count < Self.pendingMax ? Int16(POLLIN) : 0
        if !toOperator.isEmpty { events |= Int16(POLLOUT) }
        var entries = [pollfd(fd: socket, events: events, revents: 0)]
        if code == nil { entries.append(pollfd(fd: program.end, events: Int16(POLLIN), revents: 0)) }
        if let input = program.input, !toProgram.isEmpty {
            entries.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0))
        }
        if hasRoom {
            entries += program.outputs.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        }
        // What it had printed when it ended is here already.
        _ = poll(&entries, nfds_t(entries.count), code != nil && hasRoom ? 0 : -1)
        return entries[0].revents
    }

    /// Reads and obeys what has come. False: nothing more will.
    private mutating func hear() -> Bool {
        guard toProgram.count < Self.pendingMax else { return false }
        var buffer = [UInt8](repeating: 0, count: ExecFrame.bytesMax)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        guard count > 0 else { return false }
        reader.append(buffer[..<count])
        do throws(ExecFrameReader.Violation) {
            while let frame = try reader.next() { obey(frame) }
            return true
        } catch {
            return false
        }
    }

    private mutating func obey(_ frame: ExecFrame) {
        switch frame {
        case .input([]):
            toProgram.append(program.lastInput ?? [])
            inputEnds = program.lastInput == nil
        case .input(let bytes): toProgram.append(bytes)
        case .window(let size): program.resize(size)
        case .signal(let number): program.signal(number)
        case .output, .error, .exit: break
        }
    }

    private mutating func feedProgram() {
        guard let input = program.input else { return toProgram.removeAll() }
        // A program may end its input before its operator does.
        if !toProgram.flush(to: input) || (inputEnds && toProgram.isEmpty) { program.closeInput() }
    }

    private mutating func read(_ output: (descriptor: Int32, isError: Bool)) {
        var buffer = [UInt8](repeating: 0, count: ExecFrame.bytesMax)
        let count = Glibc.read(output.descriptor, &buffer, buffer.count)
        if count > 0 {
            let bytes = Array(buffer[..<count])
            toOperator.append((output.isError ? ExecFrame.error(bytes) : .output(bytes)).bytes)
        } else if count == 0 || (errno != EINTR && (errno != EAGAIN || code != nil)) {
            program.closeOutput(output.descriptor)
        }
    }
}
