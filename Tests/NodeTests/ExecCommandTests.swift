import CLinux
import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitProcesses

/// Goal: an operator's command beside a version of a real node behaves as one on the operator's own machine.
@Suite("versionctl exec", .serialized)
struct ExecCommandTests {
    @Test("a command's output, input and exit code are passed on, and so is why it could not be started")
    func piped() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let exec = ["exec", "irislog", "--socket", fleet.nodes[0].directory + "/control.sock"]
        let versionctl = try Programs.directory() + "/versionctl"
        let hello = try await Command.run(versionctl, exec + ["--", "sh", "-c", "cat; exit 7"], input: "hello")
        #expect(hello.output == "hello")
        #expect(hello.exit == .code(7))
        let killed = try await Command.run(versionctl, exec + ["--", "sh", "-c", "kill -9 $$"])
        #expect(killed.exit == .code(137))
        let missing = try await Command.run(versionctl, exec + ["--", "/no/such"])
        #expect(missing.exit == .code(127))
        #expect(missing.output.contains("/no/such"))
        let wrong = try await Command.run(versionctl, exec + ["--version", "9", "--", "true"])
        #expect(wrong.exit == .code(1))
        #expect(wrong.output.contains("does not run on this node"))
        let right = try await Command.run(versionctl, exec + ["--version", "1", "--", "hostname"])
        #expect(right.exit.isSuccess, "\(right.output)")
    }

    @Test("on a terminal ctrl-C and the window's size are the command's, and the terminal is left as it was")
    func terminal() async throws {
        let fleet = try await TestFleet(hosts: 1)
        var other: Int32 = -1
        let terminal = vk_open_terminal(&other)
        try #require(terminal >= 0)
        defer { close(terminal) }
        _ = vk_set_terminal_size(terminal, 31, 101)
        var spawn = RawSpawn()
        spawn.newSession = true
        spawn.hasTerminal = true
        spawn.descriptors = [0: other, 1: other, 2: other]
        let (_, pidfd) = try spawn.spawn(
            try Programs.directory() + "/versionctl",
            ["exec", "irislog", "--socket", fleet.nodes[0].directory + "/control.sock"])
        close(other)
        defer { close(pidfd) }
        let screen = Screen(terminal)
        try screen.type("stty size\n", until: "31 101")
        _ = vk_set_terminal_size(terminal, 42, 99)
        // What is typed is shown, too.
        try screen.type("sh -c 'echo it ru\"\"ns; exec sleep 1000'\n", until: "it runs")
        try screen.type("\u{3}", until: "^C\r\n")
        try screen.type("echo code $?\n", until: "code 130")
        try screen.type("stty size\n", until: "42 99", again: true)
        try screen.type("exit 5\n", until: "exit 5")
        let code = await onThread("wait") { [pidfd] in
            var code: Int32 = 0
            var number: Int32 = 0
            _ = vk_wait(pidfd, false, &code, &number)
            return code
        }
        #expect(code == 5)
    }
}

/// What a terminal shows, and its keyboard.
private final class Screen {
    private static let patience = Duration.seconds(60)
    private let terminal: Int32
    private var shown = ""

    init(_ terminal: Int32) { self.terminal = terminal }

    /// Types, and reads until the terminal shows a text that it has not shown before.
    ///
    /// - Parameter again: whether to type once more while it does not.
    func type(_ keys: String, until text: String, again: Bool = false) throws {
        shown = ""
        let deadline = ContinuousClock.now + Self.patience
        var typed = false
        while !shown.contains(text) {
            try #require(ContinuousClock.now < deadline, "waited in vain for '\(text)', there was: \(shown)")
            if !typed || again { _ = keys.withCString { write(terminal, $0, strlen($0)) } }
            typed = true
            var entry = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 500) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(terminal, &buffer, buffer.count)
            try #require(count > 0, "the terminal has ended, there was: \(shown)")
            shown += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
