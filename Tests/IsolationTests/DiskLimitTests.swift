import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// Goal: a limit of disk space holds, and costs a version nothing that it wrote. Method: applications that fill their disks.
extension ConformanceTests {
    @Suite("Limits of disk space")
    struct DiskLimitTests {
        private static let limited = TestedBackend.all.filter(\.hasDiskLimit)
        private static let file = "/var/lib/app/state"

        private func specification(
            _ place: Workplace, _ tested: TestedBackend, _ megabytes: UInt64?, name: String = "app-1", slot: Int = 1
        ) throws -> EnvironmentSpecification {
            // Namespaces keep no data apart: there it is a directory like any other.
            try place.specification(
                name, slot: slot, dataPath: tested.kind == .oci ? "/var/lib/app" : nil,
                limits: ResourceLimits(diskBytes: megabytes.map { $0 << 20 }))
        }

        private func file(_ tested: TestedBackend) -> String { tested.kind == .oci ? Self.file : "/data" }

        @Test(
            "an application that fills its disk is told so, harms nobody, and is removed without a trace",
            arguments: limited)
        func fills(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let own = try specification(place, tested, 32)
            let environment = try await place.serving(own, file: file(tested))
            let other = try specification(place, tested, 32, name: "app-2", slot: 2)
            let neighbour = try await place.serving(other, file: file(tested))
            let filler = try await place.exec([Workplace.application, "fill", file(tested) + "-full"], environment)
            let result = try await filler.toEnd()
            #expect(result.code == 4)
            let noSpace = String(cString: strerror(ENOSPC))
            #expect(String(decoding: result.error, as: UTF8.self).contains(noSpace))
            // A file of a megabyte: file systems keep some blocks for small ones.
            #expect([noSpace, "the disk is full"].contains(place.ask("write 1 1024", environment)))
            #expect(place.ask("name", environment) == own.name)
            #expect(place.ask("put more", neighbour) == "done")
            #expect(try space(of: own, place) <= 32 << 20)
            #expect(try space(of: other, place) < 16 << 20)
            // What is deleted can be written again.
            let remover = try await place.exec(["/bin/rm", file(tested) + "-full"], environment)
            #expect(try await remover.toEnd().code == 0)
            #expect(place.ask("put more", environment) == "done")
            let adopted = try #require(try await place.backend.adopt(own))
            #expect(place.ask("get", adopted) == "more")
            for name in [own.name, other.name] { try await place.backend.destroy(name) }
            #expect(try await place.backend.names() == [])
            try await place.waitForNoTrace(since: before)
        }

        @Test("what a version wrote outlasts every change of its limit, up, down, on and off", arguments: limited)
        func changes(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            for (index, megabytes) in ([nil, 32, 32, 64, 24, nil, nil] as [UInt64?]).enumerated() {
                let environment = try await place.serving(
                    specification(place, tested, megabytes), keepsData: true, file: file(tested))
                #expect(place.ask("get", environment) == (index == 0 ? "" : "kept \(index - 1)"))
                #expect(place.ask("put kept \(index)", environment) == "done")
                await environment.stop(.standard)
            }
            let anew = try await place.serving(specification(place, tested, 32), file: file(tested))
            #expect(place.ask("get", anew) == "")
            await anew.stop(.standard)
        }

        @Test("a limit that is too small for what is there is refused, and loses nothing", arguments: limited)
        func tooSmall(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            for before in [nil, 64] as [UInt64?] {
                let environment = try await place.serving(
                    specification(place, tested, before), file: file(tested))
                // Files of a megabyte.
                #expect(place.ask("write 30 1024", environment, within: 20) == "done")
                await environment.stop(.standard)
                let error = await #expect(throws: IsolationError.self) {
                    _ = try await place.created(specification(place, tested, 20), keepsData: true)
                }
                #expect(error?.description.contains("raise the limit") == true)
                let again = try await place.serving(
                    specification(place, tested, before), keepsData: true, file: file(tested) + "-29")
                #expect(place.ask("get", again)?.isEmpty == false)
                await again.stop(.standard)
            }
        }

        @Test("a snapshot has the files of a limited disk, for environments with any limit", arguments: limited)
        func snapshots(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let original = try await place.serving(specification(place, tested, 32), file: file(tested))
            #expect(place.ask("put before", original) == "done")
            let directory = "\(place.directory)/snapshot"
            let report = try await original.snapshot(.files, into: directory)
            #expect(report.paused > .zero && report.bytes > 0)
            #expect(place.ask("put after", original) == "done")
            for megabytes in [nil, 32, 48] as [UInt64?] {
                let copy = try specification(place, tested, megabytes, name: "app-2", slot: 2)
                try await place.backend.restore(copy, from: directory)
                let environment = try await place.backend.create(copy)
                try await place.serve(environment, copy, file: file(tested))
                #expect(place.ask("get", environment) == "before")
                #expect(place.ask("put copied", environment) == "done")
                await environment.stop(.standard)
            }
            #expect(place.ask("get", original) == "after")
            await original.stop(.standard)
        }

        @Test("a version that is killed leaves no loop device, and its disk is whole", arguments: limited)
        func killed(tested: TestedBackend) async throws {
            let before = try await Traces.before()
            let place = try await Workplace(tested)
            let own = try specification(place, tested, 32)
            let environment = try await place.serving(own, file: file(tested))
            #expect(place.ask("put kept", environment) == "done")
            let text = try String(decoding: contents(of: "\(place.directory)/environments/app-1/pid"), as: UTF8.self)
            let agent = try #require(text.split(separator: " ").first.flatMap { pid_t($0) })
            #expect(kill(agent, SIGKILL) == 0)
            await environment.stop(.immediate)
            try await place.waitForNoTrace(since: before)
            let again = try await place.serving(own, keepsData: true, file: file(tested))
            #expect(place.ask("get", again) == "kept")
            await again.stop(.standard)
        }

        @Test("a limit below what a file system needs is refused", arguments: limited)
        func least(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let error = await #expect(throws: IsolationError.self) {
                _ = try await place.created(specification(place, tested, 1))
            }
            #expect(error?.description.contains("too small") == true)
        }

        /// What an environment's disk takes on the node, in bytes.
        private func space(of specification: EnvironmentSpecification, _ place: Workplace) throws -> Int {
            var status = stat()
            try #require(
                stat("\(place.directory)/environments/\(specification.name)/disk.ext4", &status) == 0)
            return Int(status.st_blocks) * 512
        }

        private func contents(of path: String) throws -> [UInt8] {
            let file = try #require(fopen(path, "re"), "\(path)")
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 256)
            return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
        }
    }
}
