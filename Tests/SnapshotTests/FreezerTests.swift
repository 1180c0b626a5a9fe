import CLinux
import Foundation
import Testing
@testable import VersionKitIsolation
import VersionKitProcesses

@Suite("Processes that stand still")
struct FreezerTests {
    @Test("a frozen process does nothing, and goes on where it was")
    func freeze() async throws {
        let hierarchy = try #require(Freezer.hierarchy(), "cgroups of version 2 are mounted nowhere")
        let freezer = try Freezer(name: "test-\(UUID().uuidString)", hierarchy: hierarchy)
        let echo = try Echo()
        try freezer.add(processID: echo.process.id)
        #expect(echo.answers(within: .seconds(10)))
        try freezer.freeze(limit: .seconds(10))
        #expect(!echo.answers(within: .milliseconds(50)))
        try freezer.thaw()
        #expect(echo.hasAnswer(within: .seconds(10)))
        echo.process.send(SIGKILL)
        _ = await echo.process.wait()
        try freezer.remove()
    }

    @Test("whoever comes next finds the cgroup by its name")
    func adopted() async throws {
        let hierarchy = try #require(Freezer.hierarchy(), "cgroups of version 2 are mounted nowhere")
        let name = "test-\(UUID().uuidString)"
        let echo = try Echo()
        let first = try Freezer(name: name, hierarchy: hierarchy)
        try first.add(processID: echo.process.id)
        try first.freeze(limit: .seconds(10))
        let second = try Freezer(name: name, hierarchy: hierarchy)
        #expect(throws: IsolationError.self) { try second.remove() }
        try second.thaw()
        #expect(echo.answers(within: .seconds(10)))
        echo.process.send(SIGKILL)
        _ = await echo.process.wait()
        try second.remove()
    }

    @Test("where there are no cgroups of version 2 that is known before")
    func probe() {
        #expect(Freezer.hierarchy(among: ["/no/such/directory", "/proc", "/tmp"]) == nil)
    }

    @Test(
        "what the kernel tells of a cgroup is understood",
        arguments: [("populated 1\nfrozen 1\n", true), ("populated 1\nfrozen 0\n", false), ("", false)])
    func events(text: String, isFrozen: Bool) { #expect(Freezer.saysFrozen(text) == isFrozen) }
}

/// A process that repeats what it is told.
private final class Echo {
    let process: ChildProcess
    private let commands: Int32
    private let answers: Int32

    init() throws {
        var down: [Int32] = [-1, -1]
        var up: [Int32] = [-1, -1]
        try #require(vk_pipe2(&down, 0) == 0 && vk_pipe2(&up, 0) == 0)
        var options = ChildProcess.Options()
        options.descriptors = [0: down[0], 1: up[1]]
        process = try ChildProcess.spawn("/bin/cat", [], options: options)
        close(down[0])
        close(up[1])
        commands = down[1]
        answers = up[0]
    }

    deinit { for descriptor in [commands, answers] { close(descriptor) } }

    /// Asks it something, and waits for the answer.
    func answers(within time: Duration) -> Bool { write(commands, "?", 1) == 1 && hasAnswer(within: time) }

    func hasAnswer(within time: Duration) -> Bool {
        var entry = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        return poll(&entry, 1, Int32(time / .milliseconds(1))) == 1 && read(answers, &byte, 1) == 1
    }
}
