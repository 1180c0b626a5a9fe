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
    @Test("an agent listens to the node's address, and only to a port below 1024 there")
    func admission() async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        let node = IPAddress(v4: 127 << 24 | 1)
        let endpoint = Endpoint(address: node, port: AgentAddress.port)
        let machine = try ChildProcess.spawn(
            try #require(Command.find("unshare")),
            [
                "--pid", "--fork", "--kill-child", try Workplace.programs() + "/versionkit-environment", "machine",
                "\(node)",
            ])
        defer { machine.send(SIGKILL) }
        var connection: AgentConnection?
        let deadline = ContinuousClock.now + Workplace.patience
        while connection == nil {
            try #require(ContinuousClock.now < deadline, "no agent listens")
            try await Task.sleep(for: .milliseconds(10))
            connection = try await AgentConnection.open(.tcp(endpoint))
        }
        #expect(try await connection?.ask(["state"]) == "idle")
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
        #expect(try await connection?.ask(["state"]) == "idle")
        connection?.close()
    }
}
