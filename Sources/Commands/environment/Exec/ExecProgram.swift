import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses

/// What an operator wants to be run: the words behind `exec`, which are ROWS COLUMNS TERM PROGRAM ARGUMENT..., with no rows
/// and no columns for a program without a terminal.
struct ExecPlan {
    /// The operator's terminal, and what it understands.
    var terminal: TerminalSize?
    var terminalKind: String
    var command: [String]

    init?(words: [String]) {
        guard words.count > 3, let rows = UInt16(words[0]), let columns = UInt16(words[1]) else { return nil }
        terminal = rows == 0 && columns == 0 ? nil : TerminalSize(rows: rows, columns: columns)
        terminalKind = words[2]
        command = Array(words[3...])
    }
}

/// The program that runs for an operator, and the descriptors by which it is spoken to. None of them blocks.
final class ExecProgram {
    /// Ctrl-D: a terminal has no other end of its input.
    private static let endOfInput: UInt8 = 4

    /// What it prints, and whether that is standard error.
    private(set) var outputs: [(descriptor: Int32, isError: Bool)] = []
    /// What it reads; `nil` once that is closed.
    private(set) var input: Int32?
    private let pid: pid_t
    private let pidfd: Int32
    private let hasTerminal: Bool

    init(_ plan: ExecPlan, _ surroundings: Surroundings) throws(SystemError) {
        var raw = surroundings.spawn
        hasTerminal = plan.terminal != nil
        raw.hasTerminal = hasTerminal
        var programSide: [Int32] = []
        if let size = plan.terminal {
            raw.environment.append("TERM=\(plan.terminalKind)")
            var other: Int32 = -1
            let terminal = vk_open_terminal(&other)
            guard terminal >= 0 else { throw SystemError("open a terminal") }
            _ = vk_set_terminal_size(terminal, size.rows, size.columns)
            programSide = [other, other, other]
            input = terminal
            outputs = [(terminal, false)]
        } else {
            let pipes = try (0..<3).map { _ throws(SystemError) in
                var ends: [Int32] = [0, 0]
                guard vk_pipe2(&ends, 0) == 0 else { throw SystemError("pipe") }
                return ends
            }
            programSide = [pipes[0][0], pipes[1][1], pipes[2][1]]
            input = pipes[0][1]
            outputs = [(pipes[1][0], false), (pipes[2][0], true)]
        }
        for descriptor in outputs.map(\.descriptor) + [input ?? -1] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        raw.descriptors = [0: programSide[0], 1: programSide[1], 2: programSide[2]]
        (pid, pidfd) = try raw.spawn(surroundings, plan.command)
        for descriptor in Set(programSide) { close(descriptor) }
    }

    /// Readable once it has ended.
    var end: Int32 { pidfd }

    /// How it ended; `nil` while it runs. To be asked until then, and no more.
    func exitCode() -> Int32? {
        var code: Int32 = 0
        var number: Int32 = 0
        guard vk_wait(pidfd, true, &code, &number) == 1 else { return nil }
        return number == 0 ? code : 128 + number
    }

    /// What an operator's side means by the end of its input: bytes that say so, if it is not to be closed.
    var lastInput: [UInt8]? { hasTerminal ? [Self.endOfInput] : nil }

    func closeInput() {
        if let input, !hasTerminal { close(input) }
        input = nil
    }

    func closeOutput(_ descriptor: Int32) {
        outputs.removeAll { $0.descriptor == descriptor }
        // A terminal's only descriptor stays open: without it whoever still runs there would be hung up.
        if !hasTerminal { close(descriptor) }
    }

    func resize(_ size: TerminalSize) {
        if hasTerminal, let input { _ = vk_set_terminal_size(input, size.rows, size.columns) }
    }

    /// Sends its process group a signal. Only what an operator's keyboard could have done, or `kill` without an argument.
    func signal(_ number: Int32) {
        if [SIGINT, SIGQUIT, SIGTERM, SIGHUP].contains(number) { kill(-pid, number) }
    }

    /// Nobody listens any more.
    func hangUp() {
        kill(-pid, SIGHUP)
        kill(-pid, SIGCONT)
    }
}
