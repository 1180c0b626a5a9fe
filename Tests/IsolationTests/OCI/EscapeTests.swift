import Glibc
import Testing
import VersionKitIsolation

/// Goal: a version cannot get out of its container. Method: an application that tries.
extension ConformanceTests {
    @Suite("Getting out of containers")
    struct EscapeTests {
        @Test("what a version must not do, it cannot", arguments: TestedBackend.containers)
        func attempts(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            for what in [
                "mount", "remount", "device", "namespace", "fork-namespace", "user", "owner", "agent", "module",
                "hostname", "agent-socket", "agent-place",
            ] {
                let answer = try #require(place.ask("try \(what)", environment))
                #expect(answer != "yes" && answer != "what?", "\(what)")
            }
            for path in [
                "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/1/mem", "/usr/bin/other",
                "/run/tools/agent", "/run/tools/versionctl", "/run/versionkit/other",
                "/run/agent/other",
            ] {
                let answer = try #require(place.ask("can \(path)", environment))
                #expect(answer != "yes", "\(path)")
            }
            await environment.stop(.immediate)
        }

        @Test("a version has no capability, gets none, and is filtered", arguments: TestedBackend.containers)
        func status(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            for key in ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"] {
                #expect(place.ask("status \(key)", environment) == "0000000000000000", "\(key)")
            }
            #expect(place.ask("status NoNewPrivs", environment) == "1")
            #expect(place.ask("status Seccomp", environment) == "2")
            await environment.stop(.immediate)
        }

        @Test(
            "a container's root is another user on the node, whose files are root's all the same",
            arguments: TestedBackend.containers)
        func users(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let environment = try await place.serving(place.specification())
            #expect(place.ask("uid", environment) == "0")
            #expect(place.ask("put something", environment) == "done")
            let base = "\(place.directory)/environments/app-1"
            let agent = try #require(
                try String(decoding: contents(of: base + "/pid"), as: UTF8.self).split(separator: " ").first)
            #expect(try owner(of: "/proc/\(agent)") == (TestedBackend.hasControlGroups ? 1_900_000_000 : 0))
            #expect(try owner(of: base + "/upper/data") == 0)
            var status = stat()
            try #require(stat(base, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
            await environment.stop(.immediate)
        }

        @Test("the durable state is kept apart from all else that is written", arguments: TestedBackend.containers)
        func data(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification(dataPath: "/var/lib/app")
            let environment = try await place.serving(specification, file: "/var/lib/app/state")
            #expect(place.ask("put kept", environment) == "done")
            await environment.stop(.standard)
            let base = "\(place.directory)/environments/app-1"
            #expect(try contents(of: base + "/data/state") == Array("kept".utf8))
            #expect(access(base + "/upper/var/lib/app/state", F_OK) != 0)
            let again = try await place.serving(specification, keepsData: true, file: "/var/lib/app/state")
            #expect(place.ask("get", again) == "kept")
            await again.stop(.standard)
        }

        private func owner(of path: String) throws -> uid_t {
            var status = stat()
            try #require(stat(path, &status) == 0, "\(path)")
            return status.st_uid
        }

        private func contents(of path: String) throws -> [UInt8] {
            let file = try #require(fopen(path, "re"), "\(path)")
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 4096)
            return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
        }
    }
}
