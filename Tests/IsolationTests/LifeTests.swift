import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel

/// Goal: every kind of environment does what the protocol promises. Method: real environments, with an application inside.
extension ConformanceTests {
    @Suite("Their life")
    struct LifeTests {
        @Test("two versions serve on one port, each at an address of its own", arguments: TestedBackend.all)
        func sidebySide(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let first = try await place.serving(place.specification("app-1", slot: 1))
            let second = try await place.serving(place.specification("app-2", slot: 2))
            #expect(first.addresses != second.addresses)
            #expect(place.ask("name", first) == "app-1")
            #expect(place.ask("name", second) == "app-2")
            #expect(try await place.backend.names() == ["app-1", "app-2"])
            await first.stop(.standard)
            #expect(place.ask("name", first) == nil)
            #expect(place.ask("name", second) == "app-2")
            await second.stop(.standard)
        }

        @Test("what a version wrote is there again if it is to be, and gone if not", arguments: TestedBackend.all)
        func keepsData(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            let first = try await place.serving(specification)
            #expect(place.ask("put kept", first) == "done")
            await first.stop(.standard)
            let second = try await place.serving(specification, keepsData: true)
            #expect(place.ask("get", second) == "kept")
            await second.stop(.standard)
            let third = try await place.serving(specification)
            #expect(place.ask("get", third) == "")
            await third.stop(.standard)
        }

        @Test("files that are copied in are found inside, as deep as they lie", arguments: TestedBackend.all)
        func copiesIn(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let source = place.directory + "/configuration"
            for path in [source, source + "/deep"] { try #require(mkdir(path, 0o755) == 0) }
            let file = try #require(fopen(source + "/deep/file", "we"))
            fputs("configured", file)
            fclose(file)
            let environment = try await place.created(place.specification())
            try await environment.copyIn(source, to: "/etc/app")
            try await environment.start([Workplace.application, "serve", "7000", "app", "/etc/app/deep/file"])
            try await place.wait(for: "the application") { place.ask("get", environment) == "configured" }
            await environment.stop(.standard)
        }

        @Test("a program that is run to its end is an error if it fails", arguments: TestedBackend.all)
        func runs(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.created(place.specification())
            try await environment.run([Workplace.application, "exit", "0"])
            let error = await #expect(throws: IsolationError.self) {
                try await environment.run([Workplace.application, "exit", "5"])
            }
            #expect(error?.description.contains("5") == true)
            await #expect(throws: IsolationError.self) { try await environment.run(["/no/such/program"]) }
            await environment.stop(.immediate)
        }

        @Test(
            "a start command that is not there is an error; one that ends at once is told", arguments: TestedBackend.all
        )
        func starts(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.created(place.specification())
            await #expect(throws: IsolationError.self) { try await environment.start(["/no/such/program"]) }
            try await environment.start([Workplace.application, "exit", "7"])
            #expect(await environment.exit() == 7)
            await environment.stop(.immediate)
        }

        @Test("how a version ends is told, and nothing if the environment was stopped", arguments: TestedBackend.all)
        func exits(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            let ending = try await place.serving(specification)
            #expect(place.ask("exit 9", ending) == nil)
            #expect(await ending.exit() == 9)
            await ending.stop(.immediate)
            let stopped = try await place.serving(specification)
            async let code = stopped.exit()
            await stopped.stop(.standard)
            #expect(await code == nil)
        }

        @Test(
            "a version that ignores SIGTERM, or has gone off by itself, is ended all the same",
            arguments: TestedBackend.all
        )
        func teardown(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            let deaf = try await place.serving(specification, as: "deaf")
            await deaf.stop(Teardown(gracePeriod: .milliseconds(50)))
            #expect(place.ask("name", deaf) == nil)
            let away = try await place.serving(specification, as: "away")
            #expect(await away.exit() == 0)
            #expect(place.ask("name", away) == specification.name)
            await away.stop(.standard)
            #expect(place.ask("name", away) == nil)
        }

        @Test(
            "the link goes with its environment, also while somebody has not read all that came over it",
            arguments: TestedBackend.all.filter { $0.kind != .process })
        func link(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            let interface = try #require(environment.interface)
            #expect(if_nametoindex(interface) != 0)
            let reader = try place.openSlowly(environment, asking: "send 4")
            defer { close(reader) }
            // What has not come when the sender ends, the kernel keeps, and the sender's network with it.
            var byte: UInt8 = 0
            try await place.wait(for: "some of it") { recv(reader, &byte, 1, Int32(MSG_PEEK)) == 1 }
            await environment.stop(.immediate)
            try await place.wait(for: "the end of the link") { if_nametoindex(interface) == 0 }
        }

        @Test("while an environment is paused nobody answers; afterwards it goes on", arguments: TestedBackend.all)
        func pauses(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            #expect(place.ask("count", environment) == "1")
            try await environment.pause()
            #expect(place.ask("count", environment) == nil)
            try await environment.resume()
            // It may have counted the one who went away, too.
            try await place.wait(for: "an answer") { ["2", "3"].contains(place.ask("count", environment)) }
            await environment.stop(.standard)
        }

        @Test("what an environment uses can be asked for", arguments: TestedBackend.all)
        func usage(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            let before = try await environment.usage()
            #expect(before.tasks >= 1)
            #expect(place.ask("hold 32", environment, within: 20) == "done")
            let after = try await environment.usage()
            #expect(after.memoryBytes >= before.memoryBytes + 30 << 20)
            #expect(after.processorSeconds >= before.processorSeconds)
            await environment.stop(.standard)
        }
    }
}
