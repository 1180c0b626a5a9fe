import CLinux
import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// Goal: whenever the owner of environments is killed, the next one finds all that is left and can remove it.
///
/// Method: a program that makes and destroys an environment again and again, killed at moments that are spread over the time
/// which that takes it.
extension ConformanceTests {
    @Suite("Owners that are killed")
    struct KilledOwnerTests {
        private static let kills = 24

        @Test(
            "an owner that is killed at any moment leaves nothing that the next one cannot remove",
            arguments: TestedBackend.all.filter { [.process, .namespaces, .oci].contains($0.kind) })
        func leavesNothing(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let before = try await Traces.before()
            for step in 0..<Self.kills {
                try await Owner(place, tested).kill(at: Double(step) / Double(Self.kills))
                for name in try await place.backend.names() { try await place.backend.destroy(name) }
                try await place.waitForNoTrace(since: before)
            }
            let environment = try await place.serving(place.specification())
            await environment.stop(.standard)
        }

        @Test(
            "an owner that is killed at any moment while it keeps a version's memory leaves it running for the next one",
            arguments: TestedBackend.containers.filter { $0.snapshots.contains(.memory) })
        func leavesRunning(tested: TestedBackend) async throws {
            let place = try await Workplace(tested)
            let specification = try place.specification()
            for step in 0..<Self.kills / 2 {
                try await Owner(place, tested, criu: TestedBackend.criu).kill(
                    at: Double(step) / Double(Self.kills / 2))
                let adopted = try #require(try await place.backend.adopt(specification))
                try await place.wait(for: "an answer") { place.ask("name", adopted) == specification.name }
                #expect(place.ask("count", adopted) == "\(step + 1)")
            }
            try await place.backend.destroy(specification.name)
        }
    }
}

/// The program that makes environments until it is killed.
private struct Owner {
    private let output: Int32
    private let pidfd: Int32

    /// - Parameter criu: with which it keeps one environment again and again; `nil`: it makes environments.
    init(_ place: Workplace, _ tested: TestedBackend, criu: String? = nil) throws {
        var ends: [Int32] = [0, 0]
        try #require(vk_pipe2(&ends, 0) == 0)
        var spawn = RawSpawn()
        spawn.descriptors = [1: ends[1]]
        let specification = try place.specification()
        pidfd = try spawn.spawn(
            Workplace.programs() + "/environment-holder",
            [
                tested.variant.isEmpty ? tested.kind.rawValue : tested.variant, place.directory + "/environments",
                specification.layers[0], specification.runDirectory,
            ] + (criu.map { [$0] } ?? [])
        ).pidfd
        close(ends[1])
        output = ends[0]
    }

    /// Waits until it has been through everything once and begins again, and kills it at a part of the time that it took.
    func kill(at part: Double) async throws {
        defer { [output, pidfd].forEach { close($0) } }
        let milliseconds = await onThread("owner") { [output] in
            var line = [UInt8](repeating: 0, count: 64)
            let count = read(output, &line, line.count)
            return Double(String(decoding: line[..<max(0, count)], as: UTF8.self).split(separator: "\n").first ?? "")
        }
        let time = try #require(milliseconds, "the owner could not make an environment")
        var end = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        // It does not end by itself.
        try #require(poll(&end, 1, Int32(time * part)) == 0, "the owner has ended")
        _ = vk_pidfd_send_signal(pidfd, SIGKILL)
        var code: Int32 = 0
        var number: Int32 = 0
        _ = vk_wait(pidfd, false, &code, &number)
    }
}
