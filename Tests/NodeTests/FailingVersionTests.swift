import ExampleFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

/// Goal: of two versions that serve, one that fails every write which the other does is taken out by the node, operators
/// see why, and clients go on. Method: a service that is told to fail, and a proxy that gives it a second.
@Suite("A version that keeps failing, on a node", .serialized)
struct FailingVersionTests {
    private static let reason = "it keeps failing: it fails every write: it says so"

    /// A host on which both versions serve for as long as a test may run, with one client.
    private func setting(_ name: String) async throws -> (LinesHost, PortClient) {
        let setting = try await LinesHost(name, retirementPeriod: 600_000)
        try await setting.publishBeside()
        let client = try PortClient(socket: setting.path)
        #expect(await write(client) == "2")
        return (setting, client)
    }

    /// The answer to one write.
    private func write(_ client: PortClient) async -> String { await onThread("client") { client.ask("set a\n") } }

    /// Has a version fail, and writes until a write is done; all that failed before have to fail for that reason.
    private func write(_ client: PortClient, while failing: Version, in setting: LinesHost) async throws -> String {
        try await setting.fail(failing)
        #expect(await write(client) == "error no room")
        var answer = ""
        try await setting.wait("a write that is done") { _ in
            answer = await write(client)
            return answer != "error no room"
        }
        return answer
    }

    @Test("the newer one is taken away, and what clients write goes to the older one")
    func newer() async throws {
        let (setting, client) = try await self.setting("failing-newer")
        #expect(try await write(client, while: 2, in: setting) == "1")
        let status = try await setting.wait("version 1 alone") {
            $0.serves(only: 1) && $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
        }
        #expect(status.version(2)?.reason == Self.reason)
        #expect(await write(client) == "1")
    }

    @Test("the older one retires before its time, and what clients write goes to the newer one")
    func older() async throws {
        let (setting, client) = try await self.setting("failing-older")
        #expect(try await write(client, while: 1, in: setting) == "2")
        let status = try await setting.wait("version 2 alone") {
            $0.serves(only: 2) && $0.version(1)?.state == .retired && $0.version(1)?.addresses == nil
        }
        #expect(status.version(1)?.reason == Self.reason)
        #expect(StatusTable.text(of: status).contains("reason: \(Self.reason)"))
        #expect(await write(client) == "2")
    }
}
