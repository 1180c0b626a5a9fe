import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// Goal: an application that takes all that it can get harms nobody else, and leaves nothing behind.
extension ConformanceTests {
    @Suite("Hostile applications")
    struct HostileTests {
        private static let limited = TestedBackend.all.filter(\.hasLimits)

        @Test("a fork bomb is held by the limit of tasks, and removed without a trace", arguments: limited)
        func forks(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let limits = ResourceLimits(processors: tested.hasShares ? 0.5 : nil, tasks: 40)
            let environment = try await place.created(place.specification("app-1", limits: limits))
            try await environment.start([Workplace.application, "fork"])
            try await place.wait(for: "many processes") { try await environment.usage().tasks > 30 }
            // It goes on trying.
            for _ in 0..<10 { #expect(try await environment.usage().tasks <= 40) }
            let neighbour = try await place.serving(place.specification("app-2", slot: 2))
            #expect(place.ask("name", neighbour) == "app-2")
            try await environment.pause()
            try await environment.resume()
            await environment.stop(.immediate)
            await neighbour.stop(.immediate)
            for name in try await place.backend.names() { try await place.backend.destroy(name) }
            try await place.waitForNoTrace(since: before)
        }

        @Test("a fork bomb is removed by somebody else, too", arguments: limited)
        func forksOn(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let limits = ResourceLimits(processors: tested.hasShares ? 0.5 : nil, tasks: 40)
            let specification = try place.specification(limits: limits)
            let environment = try await place.created(specification)
            try await environment.start([Workplace.application, "fork"])
            try await place.wait(for: "many processes") { try await environment.usage().tasks > 30 }
            try await place.backend.destroy(specification.name)
            try await place.waitForNoTrace(since: before)
        }

        @Test("an application that eats memory is killed at its limit, and its neighbour is not", arguments: limited)
        func eats(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let neighbour = try await place.serving(place.specification("app-2", slot: 2))
            let limits = ResourceLimits(memoryBytes: 64 << 20)
            let environment = try await place.created(place.specification("app-1", limits: limits))
            try await environment.start([Workplace.application, "eat"])
            #expect(await environment.exit() == 128 + SIGKILL)
            #expect(place.ask("name", neighbour) == "app-2")
            await environment.stop(.standard)
            await neighbour.stop(.standard)
        }

        @Test(
            "an application that fills its disk goes on without it, and is removed all the same",
            arguments: TestedBackend.all.filter(\.sharesDisk))
        func fills(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let disk = place.directory + "/environments"
            try #require(mkdir(disk, 0o755) == 0)
            let mounted = try await Command.run("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", disk])
            try #require(mounted.exit.isSuccess)
            let specification = try place.specification()
            let environment = try await place.serving(specification)
            let filler = try await place.exec([Workplace.application, "fill", "/full"], environment)
            #expect(try await filler.toEnd().code == 4)
            #expect(place.ask("name", environment) == specification.name)
            let noSpace = String(cString: strerror(ENOSPC))
            #expect(place.ask("put more", environment) == noSpace)
            // Somebody else, who has no room to write anything either.
            let adopted = try #require(try await place.backend.adopt(specification))
            #expect(place.ask("name", adopted) == specification.name)
            try await place.backend.destroy(specification.name)
            #expect(try await place.backend.names() == [])
            try #require(try await Command.run("umount", [disk]).exit.isSuccess)
            try await place.waitForNoTrace(since: before)
        }

        /// Not domains: they have no limit of tasks, without which this would fill one.
        @Test(
            "a version that has only so much of a processor takes no more; where that cannot be held it is refused",
            arguments: TestedBackend.all.filter { $0.kind != .xen })
        func computes(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification(limits: ResourceLimits(processors: 0.1, tasks: 32))
            guard tested.hasShares else {
                await #expect(throws: IsolationError.self) { _ = try await place.created(specification) }
                return
            }
            let environment = try await place.created(specification)
            let before = try await environment.usage().processorSeconds
            let start = ContinuousClock.now
            try await environment.start([Workplace.application, "fork"])
            try await place.wait(for: "some work") { try await environment.usage().processorSeconds >= before + 0.2 }
            #expect(ContinuousClock.now - start >= .seconds(1))
            await environment.stop(.immediate)
        }

        @Test("a limit that cannot hold here is an error, not a wish", arguments: TestedBackend.containers)
        func refuses(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification(limits: ResourceLimits(diskBytes: 1 << 20))
            await #expect(throws: IsolationError.self) { _ = try await place.created(specification) }
            if !tested.hasLimits {
                let specification = try place.specification(limits: ResourceLimits(tasks: 64))
                await #expect(throws: IsolationError.self) { _ = try await place.created(specification) }
            }
        }
    }
}
