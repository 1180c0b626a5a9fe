import Glibc
import Testing
import VersionKitProcesses

@Suite("Programs that are run to their end")
struct CommandRunTests {
    @Test("what a program is told, prints and ends with is known")
    func result() async throws {
        let result = try await Command.run("/bin/sh", ["-c", "cat; echo there >&2; exit 3"], input: "here\n")
        #expect(result.output == "here\nthere\n")
        #expect(result.exit == .code(3))
    }

    @Test("one that is not there is an error and no result")
    func missing() async {
        await #expect(throws: SystemError.self) { try await Command.run("no-such-program", []) }
        await #expect(throws: SystemError.self) { try await Command.run("/no/such/program", []) }
    }

    @Test(
        "one that takes too long is killed, whether it keeps its output open or not", arguments: ["", "exec >&- 2>&-;"])
    func limit(first: String) async throws {
        let result = try await Command.run("/bin/sh", ["-c", "\(first) exec sleep 1000"], limit: .milliseconds(50))
        #expect(result.exit == .signal(SIGKILL))
    }

    @Test(
        "one that is to end with its task is killed when that is cancelled, and any other one is not",
        arguments: [true, false])
    func cancelled(ends: Bool) async throws {
        let (started, continuation) = AsyncStream.makeStream(of: String.self)
        let go = try MemoryFile("")
        let task = Task {
            // It waits until its input file has something.
            try await Command.run(
                "/bin/sh", ["-c", "echo ready; until [ -s /proc/self/fd/5 ]; do :; done"],
                descriptors: [5: go.descriptor], endsWithTask: ends
            ) { continuation.yield($0) }
        }
        for await _ in started { break }
        task.cancel()
        if !ends { #expect(pwrite(go.descriptor, "!", 1, 0) == 1) }
        #expect(try await task.value.exit == (ends ? .signal(SIGKILL) : .code(0)))
    }

    @Test("of endless output only the first part is kept")
    func outputMax() async throws {
        let bytes = 2 * Command.outputMax
        let result = try await Command.run("head", ["-c", "\(bytes)", "/dev/zero"])
        #expect(result.output.utf8.count == Command.outputMax)
        #expect(result.exit.isSuccess)
    }

    @Test("a program dies with the thread that started it, and so with its process")
    func diesWithThread() async throws {
        let pidfd = try await tryOnThread("starter") {
            var spawn = RawSpawn()
            spawn.diesWithThread = true
            return try spawn.spawn("/bin/sleep", ["1000"]).pidfd
        }
        defer { close(pidfd) }
        var ended = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&ended, 1, 10_000) == 1)
    }
}
