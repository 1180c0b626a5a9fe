import CFSModel
import CFSProtocol1
import Foundation
import Glibc
import NIOCore
import ONCRPC
import ONCRPCSockets
import Synchronization
import Testing
import VersionKitProcesses

extension Rings {
    /// Goal: processes that are started by their command line are a ring, and what they acknowledged they keep, however they end.
    struct ProcessTests {
        /// Nodes in processes of their own, while `body` runs.
        private func withRing(
            _ count: Int, _ generation: TestGeneration, _ body: (TemporaryDirectory, [LSDProcess]) async throws -> Void
        ) async throws {
            let directory = try TemporaryDirectory()
            var nodes: [LSDProcess] = []
            do {
                for index in 0..<count {
                    nodes.append(try await LSDProcess(generation, "\(directory.path)/\(index)", joining: nodes.first))
                }
                try await settle(nodes)
                try await body(directory, nodes)
            } catch {
                for node in nodes { _ = await node.end(SIGKILL) }
                throw error
            }
            for node in nodes { _ = await node.end(SIGKILL) }
        }

        private func settle(_ nodes: [LSDProcess]) async throws {
            let isWhole = try await eventually {
                for node in nodes {
                    let list = try? await withClient(.unix(path: node.control)) {
                        try await $0.call(Control1.successors, 0).nodes
                    }
                    guard list?.count == nodes.count else { return false }
                }
                return true
            }
            #expect(isWhole)
        }

        @Test(
            "a node that is killed amid stores comes back with all that it had acknowledged, and the ring has all blocks",
            arguments: TestGeneration.allCases)
        func killed(_ generation: TestGeneration) async throws {
            try await withRing(generation.fewestNodes + 1, generation) { directory, nodes in
                let acknowledged = Acknowledged()
                let victim = nodes[nodes.count - 1]
                // Four clients store without pause by others' gateways, and the victim dies under them.
                await withTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            try? await nodes[writer].gateway { client in
                                for number in 0..<9 {
                                    let block = TestBlock(writer * 1000 + number)
                                    let status = try await block.insert(client)
                                    if status == .ok { acknowledged.blocks.withLock { $0.append(block) } }
                                }
                            }
                        }
                    }
                    group.addTask {
                        _ = try? await eventually { acknowledged.blocks.withLock { $0.count } >= 10 }
                        _ = await victim.end(SIGKILL)
                    }
                }
                let blocks = acknowledged.blocks.withLock { $0 }
                // With one dead no other one may be late for those that have to keep a block: some may fail.
                #expect(blocks.count >= 18)
                let again = try await LSDProcess(generation, victim.directory, port: victim.port, joining: nodes[0])
                // What it has on its disk are whole fragments of blocks: it gives nobody anything else.
                let store = try JSONDecoder().decode(
                    [String: UInt64].self, from: Data(try await again.lsdctl("store", "--json").output.utf8))
                #expect((store["fragments"] ?? 0) >= 5)
                try await settle(Array(nodes.dropLast()) + [again])
                for node in [nodes[0], again] {
                    try await node.gateway { client in
                        for block in blocks { same(try await block.fetch(client), block.bytes) }
                    }
                }
                _ = await again.end(SIGKILL)
            }
        }

        @Test(
            "all nodes are killed at once, and come back with all that was acknowledged",
            arguments: TestGeneration.allCases
        )
        func allKilled(_ generation: TestGeneration) async throws {
            try await withRing(generation.fewestNodes, generation) { directory, nodes in
                let blocks = (0..<10).map { TestBlock($0) }
                let signed = try TestBlock("root", version: 3)
                // In 2106, which a gateway of 2004 is not told.
                let end = UInt32.max
                try await nodes[3].gateway { client in
                    for block in blocks + [signed] { same(try await block.insert(client, until: end), .ok) }
                }
                for node in nodes { node.process.send(SIGKILL) }
                for node in nodes { _ = await node.process.wait() }
                var again: [LSDProcess] = []
                for node in nodes {
                    again.append(
                        try await LSDProcess(generation, node.directory, port: node.port, joining: again.first))
                }
                try await settle(again)
                try await again[5].gateway { client in
                    for block in blocks + [signed] {
                        let found = try await block.find(client)
                        same(found?.bytes, block.bytes)
                        same(found?.expiration, generation == .first ? 0 : end)
                    }
                }
                for node in again { _ = await node.end(SIGKILL) }
            }
        }

        @Test(
            "a program says what is wrong and ends with the code for it; a signal and lsdctl end it cleanly",
            arguments: TestGeneration.allCases)
        func program(_ generation: TestGeneration) async throws {
            let directory = try TemporaryDirectory()
            let node = try await LSDProcess(generation, directory.path + "/a")
            func run(_ arguments: String...) async throws -> Command.Result {
                try await Command.run(LSDProcess.path(generation.program), arguments, limit: .seconds(30))
            }
            let taken = try await run("-p", node.port, "-d", directory.path + "/b", "--no-gateway-port")
            #expect(taken.exit == .code(69) && taken.output.contains("cannot be bound"))
            let inUse = try await run("-p", "0", "-d", directory.path + "/a", "--no-gateway-port")
            #expect(inUse.exit == .code(69) && inUse.output.contains("another process"))
            for wrong in [
                ["-p", "0"], ["-p", "0", "-d", "x", "-j", "nowhere"], ["-p", "0", "-d", "x", "--pace", "0"],
            ] {
                let result = try await Command.run(LSDProcess.path(generation.program), wrong, limit: .seconds(30))
                #expect(result.exit == .code(64), "\(wrong)")
            }
            let ids = try await node.lsdctl("ids")
            #expect(ids.exit.isSuccess && ids.output.contains(" 127.0.0.1:\(node.port).0"))
            same(try await node.lsdctl("stabilize", "off").output, "stabilize off\n")
            same(try await node.lsdctl("stats").exit.isSuccess, true)
            same(try await node.lsdctl("blocks").output, "")
            same(await node.end(SIGTERM), .code(0))
            same(try await node.lsdctl("ids").exit, .code(69))
            let foreign = try await Command.run(
                LSDProcess.path(generation == .first ? "cfs-lsd2" : "cfs-lsd"),
                ["-p", "0", "-d", node.directory, "--no-gateway-port"], limit: .seconds(30))
            #expect(foreign.exit == .code(69) && foreign.output.contains("generation \(generation.rawValue)"))
            let second = try await LSDProcess(generation, directory.path + "/a")
            _ = try await second.lsdctl("exit")
            same(await second.process.wait(), .code(0))
            #expect(access(second.control, F_OK) != 0)
        }
    }
}

/// Blocks of which clients were told that they are kept.
private final class Acknowledged: Sendable {
    let blocks = Mutex<[TestBlock]>([])
}
