import CFSFleet
import CFSProtocol1
import ExampleFleet
import FoundationEssentials
import Glibc
import ONCRPC
import ONCRPCSockets

/// The running nodes of a generation, wherever they run: by themselves, or in environments.
struct NodeProcesses {
    private let sockets: [String]

    /// Finds them among all processes.
    ///
    /// - Parameter data: where each has its blocks; nil: where nodes within environments have them.
    init(_ generation: Int, data: (@Sendable (Int) -> String)? = nil, count: Int) throws {
        if let data {
            sockets = (1...count).map { "\(data($0))/\(CFSFleet.controlName)" }
        } else {
            // Each sees another root; nodes by themselves have their sockets elsewhere.
            sockets = try ProcessTable.named(CFSFleet.program(generation)).map {
                "/proc/\($0)/root\(CFSFleet.dataPath)/\(CFSFleet.controlName)"
            }.filter { access($0, F_OK) == 0 }
        }
    }

    /// What is missing until so many nodes know each other; nil if nothing is.
    func missing(of count: Int) async -> String? {
        guard sockets.count == count else { return "\(sockets.count) of \(count) nodes run" }
        for socket in sockets {
            let known = try? await ask(socket, Control1.successors, 0).nodes.count
            guard known == count else { return "\(socket) knows \(known.map(String.init) ?? "nothing")" }
        }
        return nil
    }

    /// How many questions all of them had answered by others since they were asked last.
    func questions() async throws -> Double {
        var sum = 0.0
        for socket in sockets {
            for count in try await ask(socket, Control1.statistics, true).all where count.name.hasPrefix("asked: dhash")
            {
                sum += Double(count.replies)
            }
        }
        return sum
    }

    private func ask<Arguments, Results>(
        _ socket: String, _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments
    ) async throws -> Results {
        let client = try await RPCStreamClient.connect(to: .unix(path: socket))
        do {
            let results = try await client.call(procedure, arguments)
            await client.close()
            return results
        } catch {
            await client.close()
            throw error
        }
    }
}
