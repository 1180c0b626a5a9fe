import CLinux
import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// Goal: nobody but versiond and operators has anything to say to an agent that is reached by a network.
///
/// Method: the agent as in a machine of its own, as process 1 of a process namespace; the port is the sandbox's.
@Suite("Agents of machines", .serialized)
struct MachineAgentTests {
    private let node = IPAddress(v4: 127 << 24 | 1)
    private var endpoint: Endpoint { Endpoint(address: node, port: AgentAddress.port) }

    @Test("an agent listens to the node's address, and only to a port below 1024 there")
    func admission() async throws {
        let machine = try machine()
        defer { machine.send(SIGKILL) }
        let connection = try await connection()
        #expect(try await connection.ask(["state"]) == "idle")
        for source in [
            Endpoint(address: node, port: 40_000), Endpoint(address: IPAddress(v4: 127 << 24 | 2), port: 900),
        ] {
            let stranger = try openSocket(.v4, .stream)
            defer { close(stranger) }
            try #require(bindSocket(stranger, to: source) && connectSocket(stranger, to: endpoint))
            _ = send(stranger, "state\n", 6, Int32(MSG_NOSIGNAL))
            var byte: UInt8 = 0
            #expect(recv(stranger, &byte, 1, 0) <= 0)
        }
        #expect(try await connection.ask(["state"]) == "idle")
        connection.close()
        // The next test has the same port.
        _ = await machine.wait()
    }

    @Test("an owner who gave a connection up before it was made finds the agent when he comes again")
    func comesAgain() async throws {
        let machine = try machine()
        defer { machine.send(SIGKILL) }
        for _ in 1...3 { try await connection().close() }
        let connection = try await connection()
        #expect(try await connection.ask(["state"]) == "idle")
        connection.close()
        // Now it was spoken with, and ends at once; `unshare` with it.
        _ = await machine.wait()
    }

    private func machine() throws -> ChildProcess {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        let agent = try Workplace.programs() + "/versionkit-environment"
        return try ChildProcess.spawn(
            try #require(Command.find("unshare")),
            ["--pid", "--fork", "--kill-child", agent, "machine", "\(node)"])
    }

    private func connection() async throws -> AgentConnection {
        let deadline = ContinuousClock.now + Workplace.patience
        while true {
            if let connection = try await AgentConnection.open(.tcp(endpoint)) { return connection }
            try #require(ContinuousClock.now < deadline, "no agent listens")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
