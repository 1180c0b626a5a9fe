import Testing
import VersionKitIsolation
import VersionKitModel

/// Goal: whatever was kept can be gone on with. Method: an application writes before and after.
extension ConformanceTests {
    @Suite("Their snapshots")
    struct SnapshotTests {
        @Test(
            "a snapshot has the files of its moment: for the same environment and for a copy beside it",
            arguments: TestedBackend.all.filter { $0.snapshots.contains(.files) })
        func files(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification("app-1", slot: 1)
            let original = try await place.serving(specification)
            #expect(place.ask("put before", original) == "done")
            let directory = "\(place.directory)/snapshot"
            let report = try await original.snapshot(.files, into: directory)
            #expect(report.paused > .zero && report.bytes > 0)
            #expect(place.ask("put after", original) == "done")
            let copy = try await restored(place.specification("app-2", slot: 2), from: directory, place)
            #expect(place.ask("get", copy) == "before")
            #expect(place.ask("put copied", copy) == "done")
            #expect(place.ask("get", original) == "after")
            await original.stop(.standard)
            let again = try await restored(specification, from: directory, place)
            #expect(place.ask("get", again) == "before")
            for environment in [copy, again] { await environment.stop(.standard) }
        }

        @Test(
            "a snapshot that cannot be made says why, and the version goes on",
            arguments: TestedBackend.all.filter { $0.snapshots.contains(.files) })
        func failure(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            await #expect(throws: IsolationError.self) {
                try await environment.snapshot(.files, into: "\(place.directory)/none/snapshot")
            }
            await #expect(throws: IsolationError.self) {
                try await environment.snapshot(.files, into: place.directory)
            }
            #expect(place.ask("count", environment) == "1")
            await environment.stop(.standard)
        }

        @Test(
            "a version whose owner ends while it stands still goes on",
            arguments: TestedBackend.all.filter { $0.snapshots.contains(.files) })
        func brokenOff(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            do {
                let environment = try await place.serving(specification)
                try await environment.pause()
                #expect(place.ask("name", environment) == nil)
            }
            let adopted = try #require(try await place.backend.adopt(specification))
            try await place.wait(for: "an answer") { place.ask("name", adopted) == specification.name }
            await adopted.stop(.standard)
        }

        private func restored(
            _ specification: EnvironmentSpecification, from directory: String, _ place: Workplace
        ) async throws -> any IsolationEnvironment {
            try await place.backend.restore(specification, from: directory)
            let environment = try await place.backend.create(specification)
            try await environment.start([Workplace.application, "serve", "\(Workplace.port)", specification.name])
            try await place.wait(for: "the restored one to serve") {
                place.ask("name", environment) == specification.name
            }
            return environment
        }
    }
}
