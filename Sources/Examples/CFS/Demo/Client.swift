import CFSFleet
import ExampleFleet
import Foundation
import Synchronization
import VersionKitProcesses
import VersionKitTestbed

/// Somebody on a host who does something with CFS, again and again.
final class Client: Sendable {
    /// What came of it so far.
    struct Numbers: Sendable {
        var done = 0
        var failed = 0
        var bytes: UInt64 = 0
        var reasons: [String] = []
    }

    /// Reasons that are kept.
    private static let reasonsMax = 5

    let host: TestbedHost
    let number: Int
    private let programs: String
    private let state = Mutex((numbers: Numbers(), isEnding: false))
    private let directory: String

    init(_ number: Int, on host: TestbedHost, programs: String, directory: String) throws {
        self.number = number
        self.host = host
        self.programs = programs
        self.directory = "\(directory)/client-\(number)"
        try makeDirectory(self.directory)
    }

    var numbers: Numbers { state.withLock { $0.numbers } }

    /// Ends ``repeat(_:)`` when what is under way is done.
    func end() { state.withLock { $0.isEnding = true } }

    /// Does something until it is to end, and counts.
    ///
    /// - Parameters:
    ///   - pause: how long it does nothing after each time, so that all of them have something of the machine.
    ///   - body: gets how often it was called; returns how many things it did and their bytes.
    func `repeat`(_ pause: Duration, _ body: (Int) async throws -> (count: Int, bytes: UInt64)) async {
        var round = 0
        while !state.withLock({ $0.isEnding }) {
            do {
                let (count, bytes) = try await body(round)
                state.withLock { state in
                    state.numbers.done += count
                    state.numbers.bytes += bytes
                }
            } catch {
                state.withLock { state in
                    state.numbers.failed += 1
                    if state.numbers.reasons.count < Self.reasonsMax { state.numbers.reasons.append("\(error)") }
                }
            }
            round += 1
            try? await Task.sleep(for: pause)
        }
    }

    /// Runs a program of CFS on the host, for its gateway, and waits for its end.
    ///
    /// - Returns: what it printed.
    /// - Throws: if it fails, with what it said.
    @discardableResult
    func run(_ program: String, _ arguments: [String]) async throws -> Data {
        let (output, errors) = ("\(directory)/output", "\(directory)/errors")
        // Otherwise the process writes behind what the one before it wrote.
        for file in [output, errors] { unlink(file) }
        let process = try host.spawn(
            "\(programs)/\(program)", arguments,
            environment: [
                "CFS_GATEWAY": "\(host.addresses[0]):\(CFSFleet.gatewayPort)", "XDG_STATE_HOME": directory,
                "HOME": directory,
            ],
            output: .file(output), errors: .file(errors))
        let exit = try await process.wait()
        guard exit.isSuccess else {
            let why = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            throw FleetError("\(program) \(arguments.first ?? "") on \(host.name): \(exit): \(why.suffix(300))")
        }
        return try Data(contentsOf: URL(filePath: output))
    }
}
