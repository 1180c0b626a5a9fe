import CLinux
import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitSockets

/// Goal: a version goes on where it was. Method: an application that counts in its memory only.
extension ConformanceTests {
    @Suite("Their snapshots with memory")
    struct MemorySnapshotTests {
        private static let keepers = TestedBackend.all.filter { $0.snapshots.contains(.memory) }

        /// Each as it is, and with its data apart on a disk that is limited, where there can be one.
        private static let layouts = keepers.map { ($0, false) } + keepers.filter(\.hasDiskLimit).map { ($0, true) }

        @Test("a version is kept with memory and files of one moment, and goes on with them twice", arguments: layouts)
        func again(tested: TestedBackend, isApart: Bool) async throws {
            let place = try await Workplace(tested)
            let specification =
                try isApart
                ? place.specification(dataPath: "/var/lib/app", limits: ResourceLimits(diskBytes: 64 << 20))
                : place.specification()
            var environment = try await place.serving(specification, file: isApart ? "/var/lib/app/data" : "/data")
            #expect(place.ask("put before", environment) == "done")
            #expect(place.ask("count", environment) == "1")
            let directory = "\(place.directory)/snapshot"
            let report = try await environment.snapshot(.memory, into: directory)
            #expect(report.paused > .zero && report.bytes > 0)
            #expect(place.ask("count", environment) == "2")
            #expect(place.ask("put after", environment) == "done")
            for _ in 0..<2 {
                await environment.stop(.standard)
                environment = try await place.backend.revive(specification, from: directory)
                try await place.wait(for: "an answer") { place.ask("count", environment) == "2" }
                #expect(place.ask("get", environment) == "before")
            }
            _ = place.ask("exit 7", environment)
            #expect(await environment.exit() == 7)
            await environment.stop(.standard)
        }

        @Test(
            "copies of a running version go on beside it, each in a network of its own",
            arguments: keepers.filter { $0.kind != .xen })
        func beside(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let original = try await place.serving(place.specification())
            #expect(place.ask("put both", original) == "done")
            let directory = "\(place.directory)/snapshot"
            _ = try await original.snapshot(.memory, into: directory)
            #expect(place.ask("count", original) == "1")
            var copies: [any IsolationEnvironment] = []
            for slot in 2...3 {
                let specification = try place.specification("app-\(slot)", slot: slot)
                let copy = try await place.backend.revive(specification, from: directory)
                try await place.wait(for: "a copy") { place.ask("name", copy) == "app-1" }
                copies.append(copy)
            }
            for (number, copy) in copies.enumerated() {
                #expect(place.ask("count", copy) == "1")
                #expect(place.ask("put copy \(number)", copy) == "done")
            }
            #expect(copies.map { place.ask("get", $0) } == ["copy 0", "copy 1"])
            #expect(place.ask("get", original) == "both")
            for environment in copies + [original] { await environment.stop(.standard) }
            for name in try await place.backend.names() { try await place.backend.destroy(name) }
            try await place.waitForNoTrace(since: before)
        }

        @Test(
            "a client's connection, and whoever waits for the version's end, live through a snapshot",
            arguments: keepers)
        func connected(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            let end = Task { await environment.exit() }
            let client = try openSocket(.v4, .stream)
            defer { close(client) }
            var limit = timeval(tv_sec: 30, tv_usec: 0)
            setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            let endpoint = Endpoint(address: environment.addresses.primary, port: Workplace.port)
            try #require(connectSocket(client, to: endpoint))
            for number in 0..<2 {
                _ = try await environment.snapshot(.memory, into: "\(place.directory)/snapshot-\(number)")
            }
            let question = Array("name\n".utf8)
            #expect(send(client, question, question.count, Int32(MSG_NOSIGNAL)) == question.count)
            var answer = [UInt8](repeating: 0, count: 64)
            let count = recv(client, &answer, answer.count, Int32(MSG_WAITALL))
            #expect(String(decoding: answer[..<max(0, count)], as: UTF8.self) == "app-1\n")
            #expect(try await environment.usage().tasks > 0)
            _ = place.ask("exit 5", environment)
            #expect(await end.value == 5)
            await environment.stop(.standard)
        }

        @Test("a snapshot with memory that cannot be made says why, and the version goes on", arguments: keepers)
        func failure(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            let environment = try await place.serving(specification)
            await #expect(throws: IsolationError.self) {
                try await environment.snapshot(.memory, into: "\(place.directory)/none/snapshot")
            }
            #expect(place.ask("count", environment) == "1")
            await #expect(throws: IsolationError.self) {
                _ = try await place.backend.revive(specification, from: "\(place.directory)/none")
            }
            #expect(place.ask("count", environment) == "2")
            await environment.stop(.standard)
        }
    }
}
