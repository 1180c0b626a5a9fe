import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// Goal: an operator can run a command in every kind of environment, and nothing of it is left when either side goes.
extension ConformanceTests {
    @Suite("Commands inside")
    struct ExecTests {
        @Test("a command's outputs and its exit code are told, and its input is read", arguments: TestedBackend.all)
        func pipes(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            // More than fits into any buffer on the way.
            let input = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let command = try await place.exec([Workplace.application, "cat", "7"], environment)
            command.type(input, ends: true)
            let result = try await command.toEnd()
            #expect(result.output == input)
            #expect(String(decoding: result.error, as: UTF8.self) == "that was all\n")
            #expect(result.code == 7)
            #expect(place.ask("name", environment) == "app-1")
            await environment.stop(.standard)
        }

        @Test(
            "what a release has under /usr is there beside what the node has",
            arguments: TestedBackend.all.filter { $0.kind == .namespaces })
        func overlaid(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            var specification = try place.specification()
            let layer = try place.emptyLayer()
            // `cat` is the node's.
            try place.add("#!/bin/sh\nexec cat /usr/share/greeter/greeting\n", to: layer, at: ["bin", "greeter"])
            try place.add("hello\n", to: layer, at: ["share", "greeter", "greeting"])
            specification.layers.append(layer)
            let environment = try await place.serving(specification)
            let result = try await place.exec(["/usr/bin/greeter"], environment).toEnd()
            #expect(String(decoding: result.output, as: UTF8.self) == "hello\n")
            #expect(String(decoding: result.error, as: UTF8.self) == "")
            #expect(result.code == 0)
            // Nobody writes there, as on the node.
            let touch = try await place.exec(["/bin/sh", "-c", "echo >/usr/bin/greeter"], environment).toEnd()
            #expect(touch.code != 0)
            await environment.stop(.standard)
        }

        @Test("a command that cannot be started is an error that says why", arguments: TestedBackend.all)
        func missing(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            for command in ["/no/such/program", "no-such-program"] {
                let error = await #expect(throws: IsolationError.self) {
                    _ = try await place.exec([command], environment)
                }
                #expect(error?.description.contains(command) == true)
            }
            await environment.stop(.standard)
        }

        @Test("on a terminal a command knows its size, and ctrl-C interrupts it", arguments: TestedBackend.all)
        func terminal(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            let command = try await place.exec(
                [Workplace.application, "terminal"], environment, terminal: TerminalSize(rows: 25, columns: 132))
            try await command.waitFor("25x132 ")
            try command.connection.send(.window(TerminalSize(rows: 50, columns: 90)))
            try await command.waitFor("50x90 ")
            command.type([3], ends: false)
            #expect(try await command.toEnd().code == 128 + SIGINT)
            await environment.stop(.standard)
        }

        @Test("a command is hung up when its operator goes, even one that reads nothing", arguments: TestedBackend.all)
        func hangsUp(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            for terminal in [nil, TerminalSize(rows: 25, columns: 80)] {
                let command = try await place.exec(
                    [Workplace.application, "serve", "7100", "another"], environment, terminal: terminal)
                try await place.wait(for: "the command") { place.ask("name", environment, port: 7100) == "another" }
                command.connection.close()
                try await place.wait(for: "its end") { place.ask("name", environment, port: 7100) == nil }
            }
            let flood = try await place.exec([Workplace.application, "flood"], environment)
            #expect(place.ask("name", environment) == "app-1")
            flood.connection.close()
            await environment.stop(.standard)
        }

        @Test("a command ends with its environment", arguments: TestedBackend.all)
        func stops(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            let command = try await place.exec([Workplace.application, "deaf", "7100", "another"], environment)
            await environment.stop(.immediate)
            let result = try? await command.toEnd()
            #expect(result?.code == nil)
        }
    }
}

/// A command that runs in an environment, for a test.
final class RunningCommand: Sendable {
    let connection: ExecConnection

    init(_ connection: ExecConnection) { self.connection = connection }

    deinit { connection.close() }

    /// Sends input, while others read the output.
    func type(_ bytes: [UInt8], ends: Bool) {
        SystemThread(name: "type") { [connection] in
            var rest = bytes[...]
            while !rest.isEmpty {
                guard (try? connection.send(.input(Array(rest.prefix(ExecFrame.bytesMax))))) != nil else { return }
                rest = rest.dropFirst(ExecFrame.bytesMax)
            }
            if ends { try? connection.send(.input([])) }
        }.start()
    }

    /// What it prints until its end; no code if the conversation ended before.
    func toEnd() async throws -> (output: [UInt8], error: [UInt8], code: Int32?) {
        try await tryOnThread("output") { [connection] in
            var output: [UInt8] = []
            var error: [UInt8] = []
            while let frame = try connection.next() {
                switch frame {
                case .output(let bytes): output += bytes
                case .error(let bytes): error += bytes
                case .exit(let code): return (output, error, code)
                default: return (output, error, nil)
                }
            }
            return (output, error, nil)
        }
    }

    /// Waits until it has printed this.
    func waitFor(_ text: String) async throws {
        let found = try await tryOnThread("output") { [connection] in
            var output: [UInt8] = []
            while case .output(let bytes)? = try connection.next() {
                output += bytes
                if String(decoding: output, as: UTF8.self).contains(text) { return true }
            }
            return false
        }
        try #require(found, "the command did not print \(text)")
    }
}

extension Workplace {
    func exec(
        _ command: [String], _ environment: any IsolationEnvironment, terminal: TerminalSize? = nil
    ) async throws -> RunningCommand {
        RunningCommand(
            try #require(try await ExecConnection.open(environment.agent, command, terminal: terminal), "no agent"))
    }
}
