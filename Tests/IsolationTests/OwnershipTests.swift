import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel

/// Goal: no environment is lost, and nothing of one is left over.
extension ConformanceTests {
    @Suite("Their owners")
    struct OwnershipTests {
        @Test(
            "a started environment outlives its owner and is adopted; its end is told to the next",
            arguments: TestedBackend.all)
        func adopts(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            do {
                let environment = try await place.serving(specification)
                #expect(place.ask("count", environment) == "1")
            }
            let adopted = try #require(try await place.backend.adopt(specification))
            #expect(place.ask("count", adopted) == "2")
            #expect(place.ask("exit 3", adopted) == nil)
            #expect(await adopted.exit() == 3)
            // Once more: it ended before anybody asked.
            let late = try #require(try await place.backend.adopt(specification))
            #expect(await late.exit() == 3)
            await late.stop(.immediate)
            #expect(try await place.backend.adopt(specification) == nil)
        }

        @Test(
            "an environment whose owner ended while it was paused goes on under the next one",
            arguments: TestedBackend.all)
        func paused(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            do { try await place.serving(specification).pause() }
            let adopted = try #require(try await place.backend.adopt(specification))
            try await adopted.resume()
            try await place.wait(for: "an answer") { place.ask("name", adopted) == specification.name }
            try await adopted.pause()
            await adopted.stop(.standard)
            #expect(place.ask("name", adopted) == nil)
        }

        @Test("an environment that was not started ends with its owner", arguments: TestedBackend.all)
        func unstarted(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            do { _ = try await place.created(specification) }
            #expect(try await place.backend.adopt(specification) == nil)
            // The next attempt does not find it in its way.
            let environment = try await place.serving(specification)
            await environment.stop(.immediate)
        }

        @Test(
            "a running environment makes room for another of its name, and is destroyed without a trace",
            arguments: TestedBackend.all)
        func destroys(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let specification = try place.specification()
            _ = try await place.serving(specification)
            let second = try await place.serving(specification)
            #expect(place.ask("name", second) == specification.name)
            try await place.backend.destroy(specification.name)
            #expect(try await place.backend.names() == [])
            try await place.backend.destroy(specification.name)
            #expect(access("\(place.directory)/environments/\(specification.name)", F_OK) != 0)
            try await place.waitForNoTrace(since: before)
        }

        @Test("an environment that cannot be created says why and leaves no trace", arguments: TestedBackend.all)
        func failsToCreate(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            var specification = try place.specification()
            specification.layers = [place.directory + "/no-such-layer"]
            let error = await #expect(throws: IsolationError.self) { _ = try await place.created(specification) }
            #expect(error?.description.isEmpty == false)
            try await place.backend.destroy(specification.name)
            try await place.waitForNoTrace(since: before)
        }
    }
}
