import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel

/// Goal: a version is started as its release says, in every kind of environment. Method: an application that tells.
extension ConformanceTests {
    @Suite("How a version is started")
    struct VersionStartTests {
        private static let user = StartSettings.User(id: 1000, group: 2000)

        @Test("variables and a working directory are the version's", arguments: TestedBackend.all)
        func settings(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            let environment = try await place.created(specification)
            let settings = StartSettings(
                environment: ["MODE=fast and\u{e4}", "LANG=C", "EMPTY="], workingDirectory: "/srv/app")
            try await place.serve(environment, specification, settings: settings)
            #expect(place.ask("variable MODE", environment) == "fast and\u{e4}")
            #expect(place.ask("variable LANG", environment) == "C")
            #expect(place.ask("variable EMPTY", environment) == "")
            #expect(place.ask("variable PATH", environment)?.contains("/bin") == true)
            #expect(place.ask("where", environment)?.hasSuffix("/srv/app") == true)
            await environment.stop(.standard)
        }

        @Test(
            "a version that is another user has no more rights than that, and obeys as any other",
            arguments: TestedBackend.all.filter(\.hasUsers))
        func users(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification(dataPath: "/var/lib/app", user: Self.user)
            let environment = try await place.created(specification)
            let settings = StartSettings(workingDirectory: "/var/lib/app", user: Self.user)
            try await place.serve(
                environment, specification, as: "deaf", file: "/var/lib/app/state", settings: settings)
            #expect(place.ask("uid", environment) == "1000")
            #expect(place.ask("gid", environment) == "2000")
            for key in ["CapEff", "CapPrm", "CapBnd"] {
                #expect(place.ask("status \(key)", environment) == "0000000000000000")
            }
            #expect(place.ask("try user", environment) == "yes", "it is that user already")
            #expect(place.ask("can /opt/other", environment) != "yes")
            #expect(place.ask("put mine", environment) == "done")
            try await environment.pause()
            #expect(place.ask("name", environment) == nil)
            try await environment.resume()
            try await place.wait(for: "an answer") { place.ask("get", environment) == "mine" }
            await environment.stop(Teardown(gracePeriod: .milliseconds(50)))
            #expect(place.ask("name", environment) == nil)
        }

        @Test("a user that an environment does not have is refused, with what to do")
        func refused() async throws {
            for tested in TestedBackend.all where tested.kind == .namespaces || tested.kind == .oci {
                let place = try await Workplace(tested)
                let id: UInt32 = tested.hasUsers ? 70_000 : 1000
                let specification = try place.specification(user: StartSettings.User(id: id, group: 0))
                let error = await #expect(throws: IsolationError.self) {
                    _ = try await place.created(specification)
                }
                #expect(error?.description.contains("\(id)") == true)
            }
        }
    }
}
