import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// Goal: what only domains can do, or can suffer. Method: as in the suite of all kinds.
extension ConformanceTests {
    @Suite("Domains")
    struct DomainTests {
        private let tested = TestedBackend.xen

        @Test("a version goes on where it was when its memory was kept, in its own slot alone")
        func memory() async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification(dataPath: "/state")
            let environment = try await place.serving(specification, file: "/state/data")
            #expect(place.ask("put kept", environment) == "done")
            #expect(place.ask("count", environment) == "1")
            let directory = "\(place.directory)/snapshot"
            let report = try await environment.snapshot(.memory, into: directory)
            #expect(report.paused > .zero && report.bytes > 64 << 20)
            #expect(place.ask("put lost", environment) == "done")
            #expect(place.ask("count", environment) == "2")
            await environment.stop(.immediate)
            let other = try place.specification("app-2", slot: 2)
            await #expect(throws: IsolationError.self) {
                _ = try await place.backend.revive(other, from: directory)
            }
            let revived = try await place.backend.revive(specification, from: directory)
            #expect(place.ask("count", revived) == "2")
            #expect(place.ask("get", revived) == "kept")
            await revived.stop(.standard)
        }

        @Test("the durable state is on a disk of its own: it goes back without the rest, and the rest without it")
        func durableState() async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification(dataPath: "/var/lib/app")
            let first = try await place.serving(specification, file: "/var/lib/app/data")
            #expect(place.ask("put durable", first) == "done")
            await first.stop(.standard)
            // The rest as it was before anything was written.
            let base = "\(place.directory)/environments/\(specification.name)"
            #expect(unlink("\(base)/data.img") == 0)
            let second = try await place.serving(specification, keepsData: true, file: "/var/lib/app/data")
            #expect(place.ask("get", second) == "durable")
            await second.stop(.standard)
            #expect(unlink("\(base)/state.img") == 0)
            let third = try await place.serving(specification, keepsData: true, file: "/var/lib/app/data")
            #expect(place.ask("get", third) == "")
            await third.stop(.standard)
        }

        /// A fork bomb on an emulated processor leaves no time to ask how many there are.
        @Test("a limit of tasks is room in the guest's kernel for so many beside its own")
        func tasks() async throws {
            let place = try await Workplace(tested)
            let limits = ResourceLimits(tasks: 40)
            let environment = try await place.serving(
                place.specification(limits: limits), file: "/proc/sys/kernel/threads-max")
            let most = try #require(place.ask("get", environment).flatMap { Int($0) })
            let load = try await place.exec(
                [Workplace.application, "serve", "7100", "app", "/proc/loadavg"], environment)
            var words: [Substring] = []
            try await place.wait(for: "the number of tasks") {
                words = place.ask("get", environment, port: 7100)?.split(whereSeparator: { " /".contains($0) }) ?? []
                return words.count > 4
            }
            let now = try #require(Int(words[4]))
            #expect((now + 1...now + 40 + 32).contains(most), "\(now) tasks, at most \(most)")
            load.connection.close()
            await environment.stop(.standard)
        }

        @Test("a domain that is destroyed from outside is noticed")
        func destroyed() async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            async let exit = environment.exit()
            let names = try await Command.run("xl", ["list"]).output.split(separator: "\n").dropFirst(2)
            let name = try #require(names.last?.split(separator: " ").first.map(String.init))
            #expect(try await Command.run("xl", ["destroy", name]).exit.isSuccess)
            #expect(await exit == 128 + SIGKILL)
        }
    }
}
