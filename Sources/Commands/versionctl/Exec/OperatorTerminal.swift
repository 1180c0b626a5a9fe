import CLinux
import Glibc
import VersionKitModel

/// The terminal that an operator sits at: standard input.
struct OperatorTerminal: Sendable {
    private let before: termios

    /// `nil` if standard input is something else.
    init?() {
        var state = termios()
        guard tcgetattr(STDIN_FILENO, &state) == 0 else { return nil }
        before = state
    }

    var size: TerminalSize {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        _ = vk_terminal_size(STDIN_FILENO, &rows, &columns)
        // One that does not know its size is not to be taken for none.
        return rows == 0 || columns == 0
            ? TerminalSize(rows: 24, columns: 80) : TerminalSize(rows: rows, columns: columns)
    }

    /// Has every key passed on as it is: the terminal of the command makes lines and signals of them.
    func passOn() {
        var raw = before
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    }

    /// Makes it what it was.
    func restore() {
        var before = before
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
    }
}
