import CFSModel
import CFSProtocol1
import Glibc
import ONCRPC
import ONCRPCSockets
import Testing
import VersionKitProcesses

/// A `cfs-lsd` or `cfs-lsd2` in a process of its own.
final class LSDProcess: Sendable {
    let generation: TestGeneration
    let process: ChildProcess
    let directory: String
    /// Its UDP address, from its line of readiness.
    let address: String

    var control: String { directory + ".control" }

    /// Starts one, and waits until it is ready.
    init(
        _ generation: TestGeneration, _ directory: String, port: String = "0", joining other: LSDProcess? = nil
    ) async throws {
        self.generation = generation
        self.directory = directory
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        // A program started meanwhile must not keep this one's output open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (output, input) = (ends[0], ends[1])
        var options = ChildProcess.Options()
        options.descriptors = [1: input]
        var arguments = [
            "-p", port, "-d", directory, "-S", directory + ".gateway", "--no-gateway-port", "-C",
            directory + ".control", "--pace", "50",
        ]
        if let other { arguments += ["-j", other.address] }
        let spawned = Result { try ChildProcess.spawn(Self.path(generation.program), arguments, options: options) }
        close(input)
        process = try spawned.get()
        let line = await Self.line(output)
        let word = line.split(separator: " ").first { $0.hasPrefix("nodes=") }
        address = String(try #require(word, "\(line)").dropFirst("nodes=".count))
    }

    var port: String { String(address.split(separator: ":").last ?? "") }

    /// The first line is all that it ever says.
    private static func line(_ output: Int32) async -> String {
        await withCheckedContinuation { continuation in
            SystemThread(name: "lsd-output") {
                defer { close(output) }
                var line: [UInt8] = []
                var byte: UInt8 = 0
                while line.count < 4096, read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
                continuation.resume(returning: String(decoding: line, as: UTF8.self))
            }.start()
        }
    }

    func end(_ signal: Int32) async -> ChildProcess.Exit {
        process.send(signal)
        return await process.wait()
    }

    /// As a client of its generation.
    func gateway<Result>(_ body: (TestGateway) async throws -> Result) async throws -> Result {
        try await withClient(.unix(path: directory + ".gateway")) {
            try await body(TestGateway(client: $0, generation: generation))
        }
    }

    /// What cfs-lsdctl says of it.
    func lsdctl(_ arguments: String...) async throws -> Command.Result {
        try await Command.run(Self.path("cfs-lsdctl"), arguments + ["-C", control], limit: .seconds(30))
    }

    /// Where the build put a program: beside the bundle of the tests.
    static func path(_ program: String) throws -> String {
        let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
        let folders = bundle.split(separator: "/", omittingEmptySubsequences: false).prefix { !$0.hasSuffix(".xctest") }
        return folders.joined(separator: "/") + "/" + program
    }
}
