import Glibc
import NIOCore
import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

@testable import VersionKitTransport

/// What is written while a version does not run comes to it once, in order, when it is gone back to.
///
/// Method: real servers; versions that note every line they get. Of the writes, those with `w` may not be done twice.
@Suite("Replay to a version that did not run")
struct ReplayTests {
    private let directory: TemporaryDirectory
    private let two: FakeVersion

    init() throws {
        directory = try TemporaryDirectory()
        two = try FakeVersion("two")
        try ReplayLogs.begin(1, in: directory.path)
    }

    private func makeServer(_ policy: WritePolicy = .catchUp, limits: Limits = .standard) -> ProxyServer {
        ProxyServer(
            LineAdapter(writePolicy: policy), group: MultiThreadedEventLoopGroup.singleton, limits: limits,
            state: directory.path)
    }

    private func table(
        _ generation: UInt64, _ role: VersionList.Role, _ one: FakeVersion? = nil, newer: VersionList.Role? = .full
    ) -> VersionTable {
        var versions = VersionList()
        versions.insert(1, role: role)
        var endpoints: [Version: Endpoint] = [:]
        endpoints[1] = one?.endpoint
        if let newer {
            versions.insert(2, role: newer)
            endpoints[2] = two.endpoint
        }
        return VersionTable(generation: generation, versions: versions, endpoints: endpoints)
    }

    private var files: [String] { VersionFiles.all(in: directory.path).filter { $0.hasSuffix(".logged") } }

    /// Waits until a server's numbers are as wanted. The test's own time limit ends it.
    private func wait(_ server: ProxyServer, until isReached: (WriteNumbers) -> Bool) async throws {
        while !isReached(server.counters.writes) {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test(
        "all writes come to it in order, each once, and no client notices when it takes over",
        .timeLimit(.minutes(2)), arguments: [WritePolicy.catchUp, .allOrFail])
    func takesOver(_ policy: WritePolicy) async throws {
        var limits = Limits.standard
        // It takes several steps.
        limits.copiedKeysMax = 16
        let server = makeServer(policy, limits: limits)
        await server.update(table(1, .logged))
        let client = try connect(to: server)
        var written = (0..<100).map { $0 % 3 == 0 ? "w\($0)" : "wi\($0)" }
        for line in written { #expect(await ask(client, line) == "two:\(line)") }
        #expect(await ask(client, "r") == "two:r")
        #expect(server.counters.writes.logged[1] == 100)
        #expect(server.counters.writes.lag[1, default: 0] == 0)
        #expect(!files.isEmpty)
        let one = try FakeVersion("one")
        await server.update(table(2, .replaying, one))
        for number in 100..<120 {
            written.append("w\(number)")
            #expect(await ask(client, "w\(number)") == "two:w\(number)")
        }
        try await wait(server) { $0.lag[1] == 0 }
        await server.update(table(3, .settling, one))
        try await wait(server) { $0.settled[1] == 1 }
        // A read is answered, a write waits until it is known who does it.
        let writer = try connect(to: server)
        writer.send("wheld\n")
        #expect(await ask(client, "r") == "two:r")
        #expect(!two.lines.contains("wheld"))
        async let held = onThread("client") { writer.readLine() }
        await server.update(table(4, .full, one, newer: .writesOnly))
        #expect(await held?.hasSuffix(":wheld") == true)
        await server.update(table(5, .full, one, newer: nil))
        #expect(await ask(client, "wlast") == "one:wlast")
        #expect(one.lines.filter { $0 != "r" } == written + ["wheld", "wlast"])
        #expect(files.isEmpty)
    }

    @Test("what was sent to it when it still ran is answered first, and not logged", .timeLimit(.minutes(2)))
    func beginning() async throws {
        let gate = Gate()
        let one = try FakeVersion("one") { line in
            gate.pass()
            return .say("one:\(line)\n")
        }
        let server = makeServer()
        await server.update(table(1, .writesOnly, one))
        let client = try connect(to: server)
        client.send("w1\n")
        try await wait(server) { _ in one.lines == ["w1"] && two.lines == ["w1"] }
        // Until now there was no such version, and so no log.
        try ReplayLogs.begin(1, in: directory.path)
        let applied = await server.announce(table(2, .logged))
        // Another client goes by the new list already.
        let other = try connect(to: server)
        #expect(await ask(other, "w2") == "two:w2")
        gate.open()
        for future in applied { try await future.get() }
        #expect(await onThread("client") { client.readLine() } == "two:w1")
        #expect(await ask(client, "w3") == "two:w3")
        #expect(one.lines == ["w1"])
        #expect(server.counters.writes.logged[1] == 2)
    }

    @Test(
        "a client whose list of versions is an older one for a moment is served by that", .timeLimit(.minutes(2)),
        arguments: [WritePolicy.catchUp, .allOrFail])
    func olderList(_ policy: WritePolicy) async throws {
        let one = try FakeVersion("one")
        let server = makeServer(policy)
        await server.update(table(1, .writesOnly, one))
        let client = try connect(to: server)
        #expect(await ask(client, "w1") == "two:w1")
        // Until now there was no such version, and so no log.
        try ReplayLogs.begin(1, in: directory.path)
        // Nobody but those who keep what versions miss has heard of it.
        _ = server.writes.update(table(2, .logged), evenIfShort: false)
        #expect(await ask(client, "w2") == "two:w2")
        #expect(one.lines == ["w1", "w2"])
        await server.update(table(3, .logged))
        #expect(await ask(client, "w3") == "two:w3")
        #expect(one.lines == ["w1", "w2"])
        #expect(server.counters.writes.logged[1] == 1)
    }

    @Test("a newer server goes on with the log, and one that is started anew, too", .timeLimit(.minutes(2)))
    func handOver() async throws {
        let old = makeServer()
        await old.update(table(1, .logged))
        let client = try connect(to: old)
        #expect(await ask(client, "w1") == "two:w1")
        let new = makeServer()
        await new.update(table(1, .logged))
        await old.handOver { socket, rest in
            new.adopt(dup(socket), rest)
            return true
        }
        #expect(await ask(client, "w2") == "two:w2")
        #expect(new.counters.writes.logged[1] == 2)
        let one = try FakeVersion("one")
        await new.update(table(2, .replaying, one))
        try await wait(new) { $0.lag[1] == 0 }
        #expect(one.lines == ["w1", "w2"])
        // One that takes over now does not know what the version got.
        let third = makeServer()
        await third.update(table(2, .replaying, one))
        await new.handOver { socket, rest in
            third.adopt(dup(socket), rest)
            return true
        }
        try await wait(third) { $0.trouble[1] != nil }
        #expect(await ask(client, "w3") == "two:w3")
        #expect(one.lines == ["w1", "w2"])
        let again = try FakeVersion("one")
        await third.update(table(3, .logged))
        await third.update(table(4, .replaying, again))
        try await wait(third) { $0.lag[1] == 0 }
        #expect(again.lines == ["w1", "w2", "w3"])
    }

    @Test(
        "a version that is lost meanwhile, or refuses a write, is brought everything when it is put back",
        .timeLimit(.minutes(2)))
    func cutShort() async throws {
        let server = makeServer()
        await server.update(table(1, .logged))
        let client = try connect(to: server)
        let written = (0..<5).map { "w\($0)" }
        for line in written { #expect(await ask(client, line) == "two:\(line)") }
        let lost = try FakeVersion("one") { $0 == "w3" ? .close : .say("one:\($0)\n") }
        await server.update(table(2, .replaying, lost))
        try await wait(server) { $0.trouble[1] != nil }
        let refusing = try FakeVersion("one") { .say($0 == "w2" ? "!no\n" : "one:\($0)\n") }
        await server.update(table(3, .logged))
        #expect(server.counters.writes.trouble.isEmpty)
        await server.update(table(4, .replaying, refusing))
        try await wait(server) { $0.trouble[1]?.contains("refused 1") == true }
        #expect(server.counters.writes.unreplayable.isEmpty)
        let one = try FakeVersion("one")
        await server.update(table(5, .logged))
        await server.update(table(6, .replaying, one))
        try await wait(server) { $0.lag[1] == 0 }
        #expect(one.lines == written)
    }

    @Test(
        "when the log may take no more, clients are served on, and nobody takes it for whole", .timeLimit(.minutes(2)))
    func full() async throws {
        var limits = Limits.standard
        limits.replayLogBytesMax = 200
        limits.catchUpFileBytesMax = 60
        let server = makeServer(limits: limits)
        await server.update(table(1, .logged))
        let client = try connect(to: server)
        for number in 0..<10 { #expect(await ask(client, "w\(number)") == "two:w\(number)") }
        #expect(server.counters.writes.unreplayable[1]?.contains("limited") == true)
        #expect(server.counters.failed == 0)
        let one = try FakeVersion("one")
        await server.update(table(2, .replaying, one))
        try await wait(server) { $0.trouble[1] != nil }
        await server.update(table(3, .logged))
        let next = makeServer()
        await next.update(table(3, .logged))
        await server.handOver { socket, rest in
            next.adopt(dup(socket), rest)
            return true
        }
        try await wait(next) { $0.unreplayable[1] != nil }
        #expect(await ask(client, "w10") == "two:w10")
        #expect(one.lines.isEmpty)
        // It is begun anew only when it was given up.
        await next.update(table(4, .full, newer: nil))
        #expect(files.isEmpty)
    }

    @Test("a log that is not there is not taken for one without a write", .timeLimit(.minutes(2)))
    func missing() async throws {
        #expect(unlink(directory.path + "/1.1.logged") == 0)
        let server = makeServer()
        await server.update(table(1, .logged))
        #expect(server.counters.writes.unreplayable[1] != nil)
        #expect(await ask(try connect(to: server), "w1") == "two:w1")
    }

    @Test("a log that was changed is not replayed", .timeLimit(.minutes(2)), arguments: [0, 20])
    func damaged(at place: off_t) async throws {
        let server = makeServer()
        await server.update(table(1, .logged))
        #expect(await ask(try connect(to: server), "w1") == "two:w1")
        await server.handOver { _, _ in true }
        let last = try #require(files.last)
        let file = open("\(directory.path)/\(last)", O_WRONLY | O_CLOEXEC)
        #expect(pwrite(file, "?", 1, place) == 1)
        close(file)
        let next = makeServer()
        await next.update(table(1, .logged))
        try await wait(next) { $0.unreplayable[1] != nil }
        #expect(await ask(try connect(to: next), "w2") == "two:w2")
    }

    @Test(
        "where keys can be copied nothing is logged: the version is compared when it is put back",
        .timeLimit(.minutes(2)))
    func keyed() async throws {
        let server = ProxyServer(
            KeyedLineAdapter(), group: MultiThreadedEventLoopGroup.singleton, state: directory.path)
        await server.update(table(1, .logged))
        let client = try connect(to: server)
        #expect(await ask(client, "add a") == "two:add a")
        #expect(files.isEmpty)
        let one = try FakeVersion("one")
        await server.update(table(2, .replaying, one))
        // It takes writes from now on.
        #expect(await ask(client, "add b") == "two:add b")
        try await wait(server) { $0.lag[1, default: 0] == 0 }
        #expect(one.lines.contains("keys"))
        await server.update(table(3, .settling, one))
        try await wait(server) { $0.settled[1] == 1 }
        let writer = try connect(to: server)
        writer.send("add c\n")
        async let held = onThread("client") { writer.readLine() }
        await server.update(table(4, .full, one, newer: .writesOnly))
        #expect(await held == "one:add c")
        #expect(two.lines.last == "add c")
    }
}
