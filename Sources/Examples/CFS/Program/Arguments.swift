import ArgumentParser
import CFSClient
import CFSDisk
import CFSFiles
import CFSModel
import ONCRPC
import Foundation
import Glibc
import ONCRPCSockets

/// What a gateway speaks, as an argument.
enum Form: String, CaseIterable, ExpressibleByArgument {
    case of2004 = "2004"
    case of2008 = "2008"

    var value: GatewayForm { self == .of2004 ? .of2004 : .of2008 }
}

/// How the gateway is found and spoken to.
struct GatewayArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the gateway is: HOST:PORT, or the path of a Unix socket. CFS_GATEWAY if not given, else /tmp/chord-sock.",
            valueName: "address"))
    var gateway: String?

    @Option(help: ArgumentHelp("What it speaks: 2004 or 2008. CFS_FORM if not given, else 2004.", valueName: "form"))
    var form: Form?

    @Option(help: "Calls under way at a time.") var concurrency = 32
    @Option(help: ArgumentHelp("Seconds to wait for an answer.", valueName: "seconds")) var timeout = 60
    @Option(help: ArgumentHelp("How often a call is tried.", valueName: "times")) var attempts = 5

    func validate() throws {
        guard address != nil else { throw ValidationError("not an address of a gateway: \(text)") }
        guard chosenForm != nil else { throw ValidationError("CFS_FORM is neither 2004 nor 2008") }
        guard (1...1024).contains(concurrency) else { throw ValidationError("the concurrency is 1 to 1024") }
        guard (1...3600).contains(timeout) else { throw ValidationError("the time-out is 1 to 3600 seconds") }
        guard (1...100).contains(attempts) else { throw ValidationError("the attempts are 1 to 100") }
    }

    private var text: String { gateway ?? Self.variable("CFS_GATEWAY") ?? "\(RPCAddress.standardGateway)" }
    private var address: RPCAddress? { RPCAddress(text) }
    private var chosenForm: Form? {
        form ?? Self.variable("CFS_FORM").map { Form(rawValue: $0) } ?? .of2004
    }

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Lets the body use the gateway.
    func withClient<Value>(_ body: (GatewayClient) async throws -> Value) async throws -> Value {
        guard let address, let chosenForm else { throw ExitCode.validationFailure }
        var options = GatewayClient.Options(chosenForm.value)
        options.concurrency = concurrency
        options.callTime = .seconds(timeout)
        options.patience.attempts = attempts
        let client = GatewayClient(to: address, options)
        do {
            let value = try await body(client)
            await client.close()
            return value
        } catch {
            await client.close()
            throw error
        }
    }
}

/// What is remembered between two calls of the program.
struct StateArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the versions that were seen are kept. XDG_STATE_HOME/cfs if not given, else ~/.local/state/cfs.",
            valueName: "directory"))
    var state: String?

    var seen: SeenVersions {
        if let state { return SeenVersions(state) }
        let environment = ProcessInfo.processInfo.environment
        let base = environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? ".") + "/.local/state"
        return SeenVersions(base + "/cfs")
    }
}

/// Which file system, and how it is read.
struct FileSystemArguments: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The file system: 40 hexadecimal digits, `chord:` before them or not.", valueName: "name"))
    var name: FileSystemName

    @OptionGroup var gateway: GatewayArguments
    @OptionGroup var state: StateArguments

    @Option(
        help: ArgumentHelp("Read it as it was then, by its snapshots: 2026-11-22T19:00:00Z.", valueName: "date"),
        transform: { text in
            guard let time = FileTime(text) else { throw ValidationError("not a date: \(text)") }
            return time
        })
    var at: FileTime?

    @Flag(help: "Read it although its publisher does not vouch for it any more.") var allowExpired = false

    /// Lets the body read the file system.
    func withFiles<Value>(
        _ body: (FileSystem<GatewayBlocks>, GatewayBlocks) async throws -> Value
    ) async throws -> Value {
        try await gateway.withClient { client in
            let blocks = GatewayBlocks(client)
            let seen = try state.seen.version(of: name.id)
            let now = allowExpired ? nil : UInt64(Output.now)
            let files = try await FileSystem.open(name.id, from: blocks, seen: seen, at: now)
            try state.seen.saw(files.version, of: name.id)
            if let at { return try await body(files.asOf(at), blocks) }
            return try await body(files, blocks)
        }
    }
}

/// The name of a file system, as people write it.
struct FileSystemName: ExpressibleByArgument, CustomStringConvertible {
    let id: ChordID

    init?(argument: String) {
        let digits = argument.hasPrefix("chord:") ? String(argument.dropFirst(6)) : argument
        guard let id = ChordID(digits) else { return nil }
        self.id = id
    }

    var description: String { "\(id)" }
}

/// A time as people write it: `90s`, `15m`, `12h`, `30d`.
struct Span: ExpressibleByArgument, CustomStringConvertible {
    let seconds: UInt32
    let description: String

    init(seconds: UInt32, _ description: String) {
        self.seconds = seconds
        self.description = description
    }

    init?(argument: String) {
        let units: [Character: UInt32] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = UInt32(argument.dropLast()), count > 0 else {
            return nil
        }
        let (seconds, isTooLong) = count.multipliedReportingOverflow(by: unit)
        guard !isTooLong else { return nil }
        self.seconds = seconds
        description = argument
    }
}

/// What is said while long work goes on, and after it.
struct OutputArguments: ParsableArguments {
    @Flag(help: "Print the result for machines.") var json = false
    @Flag(inversion: .prefixedNo, help: "Say how far it is; by default on a terminal.") var progress: Bool?

    var line: Progress { Progress(isShown: progress ?? (isatty(STDERR_FILENO) == 1)) }
}
