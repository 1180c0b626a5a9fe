import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel

/// Goal: code and data of a version are taken back apart from each other. Method: an application that tries to write.
extension ConformanceTests {
    @Suite("Containers with a data directory")
    struct ReadOnlyRootTests {
        private static let data = "/var/lib/app"

        @Test(
            "a version with a data directory writes there and to temporary directories, and nowhere else",
            arguments: TestedBackend.containers)
        func places(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification(dataPath: Self.data))
            for path in [Self.data, "/tmp", "/run", "/var/tmp", "/dev/shm"] {
                #expect(place.ask("can \(path)/file", environment) == "yes", "\(path)")
            }
            let readOnly = String(cString: strerror(EROFS))
            for path in ["/file", "/etc/file", "/opt/app", "/opt/file", "/var/file", "/var/lib/file"] {
                #expect(
                    [readOnly, String(cString: strerror(ENOENT)), String(cString: strerror(ETXTBSY))]
                        .contains(place.ask("can \(path)", environment)), "\(path)")
            }
            #expect(place.ask("can /file", environment) == readOnly)
            await environment.stop(.immediate)
        }

        @Test("without a data directory a version writes where it likes", arguments: TestedBackend.containers)
        func everywhere(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            for path in ["/file", "/opt/file"] { #expect(place.ask("can \(path)", environment) == "yes") }
            await environment.stop(.immediate)
        }

        @Test(
            "configuration is copied in all the same, and by the agent alone", arguments: TestedBackend.containers)
        func configuration(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let source = place.directory + "/configuration"
            try #require(mkdir(source, 0o755) == 0)
            let specification = try place.specification(dataPath: Self.data)
            // The second time over what is there from the first.
            for text in ["first", "second"] {
                let file = try #require(fopen(source + "/file", "we"))
                fputs(text, file)
                fclose(file)
                let environment = try await place.created(specification, keepsData: text == "second")
                for target in ["/etc/app/deep", Self.data] { try await environment.copyIn(source, to: target) }
                for path in ["/etc/app/other", "/proc/1/fd/5/other", "/proc/1/root/other"] {
                    await #expect(throws: IsolationError.self) { try await environment.run(["/bin/touch", path]) }
                }
                try await place.serve(environment, specification, file: "/etc/app/deep/file")
                #expect(place.ask("get", environment) == text)
                let data = try await place.exec(["/bin/cat", Self.data + "/file"], environment)
                #expect(try await data.toEnd().output == Array(text.utf8))
                #expect(place.ask("put changed", environment) != "done")
                await environment.stop(.standard)
            }
        }

        @Test(
            "code can be taken back without the data, and data without the code", arguments: TestedBackend.containers)
        func apart(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let codes = [try place.layer(code: "old"), try place.layer(code: "new")]
            func specification(_ code: Int) throws -> EnvironmentSpecification {
                var specification = try place.specification(dataPath: Self.data)
                specification.layers.insert(codes[code], at: 0)
                return specification
            }
            func serving(_ code: Int) async throws -> any IsolationEnvironment {
                try await place.serving(specification(code), keepsData: true, file: Self.data + "/state")
            }
            let first = try await serving(0)
            #expect(place.ask("put old data", first) == "done")
            let snapshot = place.directory + "/snapshot"
            _ = try await first.snapshot(.files, into: snapshot)
            await first.stop(.standard)
            let second = try await serving(1)
            #expect(try await code(second, place) == "new")
            #expect(place.ask("get", second) == "old data")
            #expect(place.ask("put new data", second) == "done")
            await second.stop(.standard)
            let third = try await serving(0)
            #expect(try await code(third, place) == "old")
            #expect(place.ask("get", third) == "new data")
            await third.stop(.standard)
            // The data of then, the code of now.
            try await place.backend.restore(try specification(1), from: snapshot)
            let fourth = try await place.backend.create(try specification(1))
            try await place.serve(fourth, specification(1), file: Self.data + "/state")
            #expect(try await code(fourth, place) == "new")
            #expect(place.ask("get", fourth) == "old data")
            await fourth.stop(.standard)
        }

        private func code(_ environment: any IsolationEnvironment, _ place: Workplace) async throws -> String {
            let command = try await place.exec(["/bin/cat", "/opt/code"], environment)
            return String(decoding: try await command.toEnd().output, as: UTF8.self)
        }
    }
}
