import Glibc
import Testing

@testable import VersionKitTestbed

/// Processes on a host: these need `scripts/sandbox`.
@Suite struct HostProcessTests {
    private let testbed: Testbed
    private let host: TestbedHost

    init() throws {
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("a", address: "10.99.0.1", on: "lan")
        testbed = try Testbed(plan)
        host = try #require(testbed["a"])
    }

    @Test("a command sees the host's network, and its output and code come back")
    func run() throws {
        let result = try host.run("sh", ["-c", "ip -4 -o addr show eth0; echo bad >&2; exit 3"])
        #expect(result.output.contains("10.99.0.1/16"))
        #expect(result.errors == "bad\n")
        #expect(result.exit == .exited(3))
    }

    @Test("environment, directory and arguments are passed on")
    func surroundings() throws {
        let result = try host.run(
            "/bin/sh", ["-c", "echo $GREETING $0 $#; pwd"], environment: ["GREETING": "hello"], directory: "/")
        #expect(result.output == "hello /bin/sh 0\n/\n")
    }

    @Test("a program that does not exist is an error, not a process")
    func missing() {
        let error = #expect(throws: TestbedError.self) { try host.run("/nowhere/nothing") }
        #expect(error?.message == "cannot start /nowhere/nothing: No such file or directory")
        #expect(throws: TestbedError.self) { try host.run("no-such-program") }
    }

    @Test("only the three standard descriptors are passed on")
    func descriptors() throws {
        let result = try host.run("sh", ["-c", "ls /proc/$$/fd"])
        #expect(result.output.split(separator: "\n").prefix(3) == ["0", "1", "2"])
        // The shell opens none of its own for -c.
        #expect(result.output == "0\n1\n2\n")
    }

    @Test("a process can be waited for, asynchronously too, and any number of times")
    func waiting() async throws {
        let sign = "/run/may-end"
        let process = try host.spawn("sh", ["-c", "until [ -e \(sign) ]; do sleep 0.01; done; exit 4"])
        #expect(process.exit == nil)
        try #require(mkdir(sign, 0o755) == 0)
        defer { rmdir(sign) }
        #expect(try await process.wait() == .exited(4))
        #expect(try process.waitBlocking() == .exited(4))
        #expect(process.exit == .exited(4))
    }

    @Test("a waiting task can be cancelled, and the process goes on")
    func cancelling() async throws {
        let process = try host.spawn("sleep", ["100"])
        let task = Task { try await process.wait() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(process.exit == nil)
        process.terminate()
        #expect(try await process.wait() == .signalled(SIGTERM))
    }

    @Test("a command that takes too long is killed")
    func timeout() throws {
        let error = #expect(throws: TestbedError.self) {
            try host.run("sleep", ["100"], timeout: .milliseconds(100))
        }
        #expect(error?.code == .timedOut)
    }

    @Test("output goes to a pipe or to the end of a file")
    func output() throws {
        let process = try host.spawn("echo", ["through a pipe"], output: .pipe)
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = read(try #require(process.output), &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "through a pipe\n")

        let path = "/run/output-\(process.pid)"
        for word in ["one", "two"] {
            #expect(try host.spawn("echo", [word], output: .file(path)).waitBlocking().isSuccess)
        }
        #expect(try host.run("cat", [path]).output == "one\ntwo\n")
        unlink(path)
    }

    @Test("stopping ends processes with their children, twice is no harm, and then nothing works")
    func stopping() throws {
        let process = try host.spawn("sh", ["-c", "sleep 1000 & sleep 1000"])
        testbed.stop()
        testbed.stop()
        #expect(process.exit == .signalled(SIGKILL))
        // The shell's child is dead too, but it is for the sandbox's first process to collect it.
        let deadline = ContinuousClock.now + .seconds(10)
        while kill(-process.pid, 0) == 0, ContinuousClock.now < deadline { usleep(1000) }
        #expect(kill(-process.pid, 0) == -1)
        let error = #expect(throws: TestbedError.self) { try host.run("true") }
        #expect(error?.code == .stopped)
        #expect(throws: TestbedError.self) { try host.socket(domain: AF_INET, type: 1) }
    }
}
