import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: what a versiond runs goes on under the next one. Method: real versionds and clients on hosts of their own.
@Suite("Hot restart", .serialized)
struct HotRestartTests {
    @Test("versions, proxies and clients go on while versiond restarts five times, and nothing is left over")
    func fiveTimes() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let load = try await fleet.load(node.node, protocol: 1)
        // From the first one on it is always the same: the programs' start differs.
        try await node.restarts()
        let children = node.children
        #expect(children.count == 2)
        try await fleet.wait(for: "clients", on: node.node) { $0.applications.first?.proxy?.requests ?? 0 > 0 }
        let descriptors = try await node.settledDescriptors(fleet)
        for number in 2...5 {
            let status = try await node.restarts()
            #expect(status.number == UInt64(number))
            #expect(status.pauseMicroseconds > 0)
            #expect(node.children == children)
        }
        try await fleet.wait(
            for: "as many descriptors as before: \(descriptors), now \(node.descriptors)", on: node.node
        ) { _ in node.descriptors == descriptors }
        let requests = load.numbers.requests
        try await fleet.wait(for: "more requests", on: node.node) { _ in load.numbers.requests > requests }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
        let status = try #require(await node.node.status())
        #expect(status.applications.first?.proxy?.requests ?? 0 >= UInt64(numbers.requests))
        #expect(status.applications.first?.proxy?.failed == 0)
    }

    @Test("while two versions serve, a restart leaves both, and the upgrade can be rolled back behind it")
    func inServe() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let load = try await fleet.load(node.node, protocol: 1)
        try await node.node.publish(fleet.releases.lasting2)
        try await fleet.wait(for: "both versions", on: node.node) { $0.applications.first?.serving == [1, 2] }
        let children = try await restartsWhenPossible(node, fleet)
        #expect(children == node.children)
        #expect(await node.node.status()?.applications.first?.serving == [1, 2])
        let application = try #require(ApplicationID(rawValue: "irislog"))
        guard case .done = try await node.node.ask(.rollback(application: application)) else {
            Issue.record("the rollback was refused")
            return
        }
        try await fleet.wait(for: "version 1 alone", on: node.node) {
            $0.version(2)?.addresses == nil && $0.applications.first?.serving == [1]
        }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    /// Restarts as soon as the stage Serve only waits; versiond's children before.
    private func restartsWhenPossible(_ node: RestartedNode, _ fleet: TestFleet) async throws -> Set<Int32> {
        let deadline = ContinuousClock.now + TestFleet.patience
        while true {
            let children = node.children
            let result = try await node.restart()
            if result.exit.isSuccess { return children }
            guard result.output.contains("try again"), ContinuousClock.now < deadline else {
                throw FleetError("no restart: \(result.output)")
            }
        }
    }

    @Test("a version that ends while versiond is executed is started again, as is one that ends behind it")
    func versionEnds() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let first = try #require(node.versions.first)
        try await node.restarts(["--binary", try node.versiond("killer", doing: "kill -9 \(first)")])
        try await fleet.wait(for: "version 1 again", on: node.node) { _ in
            node.log.contains("it exited with code 137")
        }
        // It runs when clients are served; until then its environment's boot could be taken for it.
        #expect(try await fleet.load(node.node, protocol: 1).finish().lost == 0)
        let second = try #require(node.versions.first)
        #expect(second != first)
        kill(second, SIGKILL)
        try await fleet.wait(for: "a second start", on: node.node) { _ in
            node.log.split(separator: "it exited with code 137").count == 3
        }
        let load = try await fleet.load(node.node, protocol: 1)
        let numbers = try await load.finish()
        #expect(
            numbers.lost == 0, "\(numbers.lost) of \(numbers.updates): \(numbers.reasons)\n\(node.log.suffix(3000))")
    }

    @Test("a proxy that ends behind a restart is started again")
    func proxyEnds() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        try await node.restarts()
        let before = node.children
        let result = try await Command.run("pkill", ["-KILL", "-f", "-P", "\(node.node.process.pid)", "irislog-proxy"])
        #expect(result.exit.isSuccess)
        try await fleet.wait(for: "another proxy", on: node.node) { _ in
            node.children.count == before.count && node.children != before
        }
        let load = try await fleet.load(node.node, protocol: 1)
        #expect(try await load.finish().failed == 0)
    }

    @Test("what is no versiond is refused with the reason, as is a restart in the middle of a stage")
    func refused() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        for (binary, reason) in [
            ("/run/nothing", "cannot be executed"), ("\(node.node.directory)/versiond.json", "cannot be executed"),
            ("/bin/true", "cannot go on from the state"), ("/bin/false", "cannot go on from the state"),
        ] {
            let result = try await node.restart("--binary", binary)
            #expect(result.exit == .code(1))
            #expect(result.output.contains(reason), "\(result.output)")
        }
        // A configuration with a mistake would end everything.
        let configuration = "\(node.node.directory)/versiond.json"
        let sound = try String(contentsOfFile: configuration, encoding: .utf8)
        try write("{", to: configuration)
        let mistaken = try await node.restart()
        #expect(mistaken.exit == .code(1))
        #expect(mistaken.output.contains("versiond.json"), "\(mistaken.output)")
        try write(sound, to: configuration)
        try await node.node.publish(fleet.releases.silent2)
        try await fleet.wait(for: "a stage", on: node.node) { $0.version(2)?.stage == .running }
        let result = try await node.restart()
        #expect(result.exit == .code(1))
        #expect(result.output.contains("version 2 of irislog is in the stage Running"), "\(result.output)")
        #expect(await node.node.status()?.restart == nil)
    }

    @Test("another versiond that ends at once is a crash, from which a third one recovers everything acknowledged")
    func diesAtOnce() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let load = try await fleet.load(node.node, protocol: 1)
        let result = try await node.restart("--binary", try node.versiond("quitter", doing: "exit 1"))
        #expect(!result.exit.isSuccess)
        #expect(try await node.node.process.wait() == .exited(1))
        let again = try node.node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "version 1", on: again) { $0.serves(only: 1) && $0.applications.first?.proxy != nil }
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        #expect(numbers.updates > 0)
        try await RestartedNode(node: again).restarts()
    }

    @Test("a state that cannot be read ends the proxies, and versions go on: everything acknowledged is there")
    func damagedState() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let load = try await fleet.load(node.node, protocol: 1)
        try await node.restarts()
        let descriptors = try await node.settledDescriptors(fleet)
        let (children, proxies) = (node.children, node.proxies)
        let result = try await node.restart(
            "--binary", try node.versiond("spoiler", doing: #"echo '{ "format": 1 }' > /proc/self/fd/$state"#))
        #expect(result.exit == .code(1))
        #expect(result.output.contains("cannot be read"), "\(result.output)")
        try await fleet.wait(for: "version 1", on: node.node) {
            $0.serves(only: 1) && $0.applications.first?.proxy != nil
        }
        #expect(node.children.count == children.count)
        #expect(node.children.intersection(children) == children.subtracting(proxies))
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        try await node.restarts()
        try await fleet.wait(
            for: "as many descriptors as before: \(descriptors), now \(node.descriptors)", on: node.node
        ) { _ in node.descriptors == descriptors }
    }

    @Test("registrations inside an environment go on: no renewal fails, and a lease ends when it would have")
    func registrations() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let client = ControlClient(path: "\(node.node.directory)/state/run/irislog-1/registrar.sock")
        guard case .done = try client.ask(.register(ports: [7100], leaseSeconds: 600)) else {
            Issue.record("the port was refused")
            return
        }
        let before = try #require(await node.node.status()?.applications.first?.ports.first?.endsAt)
        try await node.restarts()
        let after = try #require(await node.node.status()?.applications.first?.ports.first?.endsAt)
        // The node's own time stands still while another versiond begins.
        #expect(abs(after - before) < 5000)
        let renewals = Task {
            var count = 0
            while !Task.isCancelled {
                let answer = try await tryOnThread("renew") { try client.ask(.renew(ports: [7100], leaseSeconds: 900)) }
                guard case .done = answer else { throw FleetError("\(answer)") }
                count += 1
            }
            return count
        }
        for _ in 1...3 { try await node.restarts() }
        renewals.cancel()
        #expect(try await renewals.value > 0)
        #expect(try #require(await node.node.status()?.applications.first?.ports.first?.endsAt) > after)
    }

    @Test("SIGHUP is a restart as well, and SIGTERM ends what was restarted, and all of its versions")
    func signals() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = RestartedNode(node: fleet.nodes[0])
        let children = node.children
        node.node.process.signal(SIGHUP)
        try await fleet.wait(for: "a restart", on: node.node) { $0.restart?.number == 1 }
        #expect(node.children == children)
        node.node.process.terminate()
        #expect(try await node.node.process.wait() == .exited(0))
        for child in children { #expect(kill(child, 0) != 0) }
        #expect(access("\(node.node.directory)/control.sock", F_OK) != 0)
    }

    @Test("peers that were heard and what they were told are known behind a restart")
    func peers() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true)
        let node = RestartedNode(node: fleet.nodes[0])
        let load = try await fleet.load(node.node, protocol: 1)
        try await fleet.wait(for: "a peer", on: node.node) { $0.applications.first?.peers.isEmpty == false }
        _ = try await load.finish()
        let heard = try #require(await node.node.status()?.applications.first?.peersHeard.values.first)
        try await node.restarts()
        let after = try #require(await node.node.status())
        let heardAfter = try #require(after.applications.first?.peersHeard.values.first)
        #expect(abs(heardAfter - heard) < 5000)
        // An upgrade spreads as ever.
        try await fleet.nodes[1].publish(fleet.releases.version2)
        for node in fleet.nodes {
            try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        }
    }
}
