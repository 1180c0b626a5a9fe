import CFSClient
import CFSMemoryGateway
import Glibc
import ONCRPC
import ONCRPCSockets
import Testing
import VersionKitProcesses

/// A folder of a test, with a gateway at a socket in it, and the programs.
final class Scene: Sendable {
    let gateway: MemoryGateway
    /// Without a slash at its end.
    let folder: String

    init(_ form: GatewayForm = .of2004) throws {
        gateway = MemoryGateway(form)
        var template = Array("/tmp/cfs-program-XXXXXX".utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    /// Runs the body while the gateway is there, and removes the folder after it.
    func run(_ body: () async throws -> Void) async throws {
        let server = try await RPCStreamServer.bind(to: .unix(path: socket), services: [gateway.service])
        let result = await withDiscardingTaskGroup { group in
            group.addTask { await server.serve() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await server.close()
            return result
        }
        _ = try await Command.run("rm", ["-rf", folder])
        try result.get()
    }

    var socket: String { folder + "/gateway" }

    /// Runs a program to its end.
    func run(_ program: String, _ arguments: String...) async throws -> Command.Result {
        try await run(program, arguments)
    }

    /// Runs a program to its end.
    func run(_ program: String, _ arguments: [String]) async throws -> Command.Result {
        try await Command.run(
            Self.path(program), arguments, limit: .seconds(60),
            variables: [
                "CFS_GATEWAY=\(socket)", "CFS_FORM=\(gateway.form.rawValue)", "XDG_STATE_HOME=\(folder)/state",
                "TZ=UTC",
            ])
    }

    /// Makes a file.
    func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        let file = open("\(folder)/\(path)", O_WRONLY | O_CREAT | O_TRUNC, mode)
        try #require(file >= 0)
        let bytes = Array(text.utf8)
        try #require(Glibc.write(file, bytes, bytes.count) == bytes.count)
        close(file)
    }

    /// Makes a directory.
    func make(_ path: String) throws { try #require(mkdir("\(folder)/\(path)", 0o755) == 0) }

    /// Where the build put a program: beside the bundle of the tests.
    static func path(_ program: String) throws -> String {
        let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
        let folders = bundle.split(separator: "/", omittingEmptySubsequences: false).prefix { !$0.hasSuffix(".xctest") }
        return folders.joined(separator: "/") + "/" + program
    }
}
