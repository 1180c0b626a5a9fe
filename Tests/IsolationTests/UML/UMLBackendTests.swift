import Glibc
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

@testable import VersionKitIsolation

/// Goal: what only machines have. Method: real ones.
extension ConformanceTests {
    @Suite("Machines of User Mode Linux")
    struct UMLBackendTests {
        @Test("a clone begins with what was written when the snapshot was made, also after its original is destroyed")
        func snapshots() async throws {
            let place = try await Workplace(.uml)
            let original = try await place.serving(place.specification("app-1", slot: 1))
            #expect(place.ask("put before", original) == "done")
            let directory = place.directory + "/snapshot"
            let report = try await original.snapshot(.files, into: directory)
            #expect(report.bytes > 0)
            #expect(report.paused > .zero)
            #expect(place.ask("put after", original) == "done")
            try await place.backend.destroy("app-1")
            let specification = try place.specification("app-2", slot: 2)
            try await place.backend.restore(specification, from: directory)
            let clone = try await place.backend.create(specification)
            try await clone.start([Workplace.application, "serve", "\(Workplace.port)", "app-2", "/data"])
            try await place.wait(for: "the clone") { place.ask("get", clone) == "before" }
            await clone.stop(.immediate)
            let memory = place.directory + "/memory"
            await #expect(throws: IsolationError.self) { _ = try await original.snapshot(.memory, into: memory) }
        }

        @Test("a machine that is killed is told like a version that was, and nothing of it runs on")
        func killed() async throws {
            let place = try await Workplace(.uml)
            let environment = try await place.serving(place.specification())
            #expect(kill(try #require(try await Self.kernel(of: place)), SIGKILL) == 0)
            #expect(await environment.exit() == 128 + SIGKILL)
            await environment.stop(.immediate)
            #expect(try await Traces.now().processes == [])
        }

        @Test("a machine is reached by IPv6, too")
        func bothKinds() async throws {
            let networks = HostAddresses(TestedBackend.networks.primary, IPAddress(high: 0xFD00_564B << 32, low: 0))
            let place = try await Workplace(
                TestedBackend(kind: .uml) { UMLBackend(directory: $0, networks: networks) })
            let environment = try await place.created(place.specification())
            let endpoint = Endpoint(address: try #require(environment.addresses[.v6]), port: Workplace.port)
            let socket = try openSocket(.v6, .stream)
            defer { close(socket) }
            // Nobody listens there: that is told by the machine itself.
            #expect(connectSocket(socket, to: endpoint) == false)
            #expect(errno == ECONNREFUSED)
            await environment.stop(.immediate)
        }

        @Test("a program that is linked against the node's libraries runs, and can change none of them")
        func nodeLibraries() async throws {
            let place = try await Workplace(.uml)
            let environment = try await place.serving(place.specification())
            // The layer has one static program and no directory of these.
            let check = try await place.exec(["/usr/bin/sha256sum", "/usr/bin/env", "/bin/sh"], environment).toEnd()
            let onNode = try await Command.run("sha256sum", ["/usr/bin/env", "/bin/sh"]).output
            #expect(String(decoding: check.output, as: UTF8.self) == onNode)
            #expect(try await place.exec(["/bin/sh", "-c", "ldd /bin/sh"], environment).toEnd().code == 0)
            let write = try await place.exec(["/bin/sh", "-c", ">/usr/lib/mine"], environment).toEnd()
            #expect(write.code != 0)
            #expect(String(decoding: write.error, as: UTF8.self).contains("Read-only"))
            await environment.stop(.immediate)
        }

        @Test("a version has as many tasks as its limit less the agent, and finds nothing by which to have more")
        func tasks() async throws {
            let place = try await Workplace(.uml)
            let environment = try await place.created(place.specification(limits: ResourceLimits(tasks: 20)))
            try await environment.run(["/bin/sh", "-c", "! grep cgroup /proc/mounts"])
            try await environment.start([Workplace.application, "fork"])
            try await place.wait(for: "all of them") { try await environment.usage().tasks == 19 }
            for _ in 0..<10 { #expect(try await environment.usage().tasks == 19) }
            await environment.stop(.immediate)
        }

        @Test("what the layers have themselves is not the node's")
        func ownLibraries() async throws {
            let place = try await Workplace(.uml)
            var specification = try place.specification()
            let layer = place.directory + "/own"
            for path in [layer, layer + "/usr", layer + "/usr/bin"] { try #require(mkdir(path, 0o755) == 0) }
            try #require(
                try await Command.run("cp", [Workplace.programs() + "/isolation-app", layer + "/usr/bin/own"])
                    .exit.isSuccess)
            specification.layers.insert(layer, at: 0)
            let environment = try await place.created(specification)
            try await environment.run(["/usr/bin/own", "exit", "0"])
            await #expect(throws: IsolationError.self) { try await environment.run(["/usr/bin/env"]) }
            await environment.stop(.immediate)
        }

        @Test("the link goes with the machine, also with one that was killed")
        func link() async throws {
            let place = try await Workplace(.uml)
            let environment = try await place.serving(place.specification())
            #expect(if_nametoindex("vk1") != 0)
            #expect(kill(try #require(try await Self.kernel(of: place)), SIGKILL) == 0)
            // Its kernel leaves the processes inside behind, which are the machine, too.
            await environment.stop(.immediate)
            try await place.wait(for: "the end of the link") { if_nametoindex("vk1") == 0 }
        }

        @Test("images of layers are made once, and removed with their last user")
        func images() async throws {
            let place = try await Workplace(.uml)
            let (first, second) = (try place.specification("app-1", slot: 1), try place.specification("app-2", slot: 2))
            for specification in [first, second] { try await place.backend.prepare(specification, keepsData: false) }
            let images = "\(place.directory)/environments/.images"
            let count = try await Command.run("ls", [images]).output.split(separator: "\n").count
            #expect(count == 2)
            try await place.backend.destroy("app-1")
            #expect(try await Command.run("ls", [images]).output.split(separator: "\n").count == 2)
            try await place.backend.destroy("app-2")
            #expect(try await Command.run("ls", [images]).output == "")
        }

        @Test("a machine's process is nobody's but its own, and may write nowhere else")
        func users() async throws {
            let place = try await Workplace(.uml)
            let environment = try await place.serving(place.specification())
            let pid = try #require(try await Self.kernel(of: place))
            let status = try await Command.run("cat", ["/proc/\(pid)/status"]).output
            #expect(status.contains("NoNewPrivs:\t1"))
            #expect(status.contains("CapEff:\t0000000000000000"))
            // Who may not choose users has one only.
            #expect(status.contains("Uid:\t0\t") == (UMLUser(slot: 1) == nil))
            await environment.stop(.immediate)
        }

        @Test("a kernel that cannot be started is an error with its reason")
        func noKernel() async throws {
            let place = try await Workplace(
                TestedBackend(kind: .uml) {
                    UMLBackend(directory: $0, networks: TestedBackend.networks, kernel: "/bin/false")
                })
            await #expect(throws: IsolationError.self) { _ = try await place.created(place.specification()) }
            let findings = await UMLBackend(
                directory: place.directory, networks: TestedBackend.networks, kernel: "/no/kernel"
            ).probe()
            #expect(findings.first?.obstacle?.contains("user-mode-linux") == true)
        }

        /// The process of the machine `app-1`.
        private static func kernel(of place: Workplace) async throws -> pid_t? {
            let file = "\(place.directory)/environments/app-1/pid"
            return pid_t(try await Command.run("cut", ["-d", " ", "-f", "1", file]).output.prefix { $0 != "\n" })
        }
    }
}
