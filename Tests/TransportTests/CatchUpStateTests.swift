import Glibc
import NIOPosix
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// What a proxy knows of versions that are behind, when another takes over, and when the disk takes nothing.
@Suite("The state of catching up")
struct CatchUpStateTests {
    private let directory: TemporaryDirectory
    private let one: FakeVersion
    private let socket: Int32
    private let table: VersionTable

    init() throws {
        directory = try TemporaryDirectory()
        one = try FakeVersion("one")
        let (socket, down) = try Loopback.refuse()
        self.socket = socket
        table = VersionTable(generation: 1, versions: [1, 2], endpoints: [1: one.endpoint, 2: down])
    }

    private func makeServer(state: String, limits: Limits = .standard) -> ProxyServer {
        ProxyServer(
            LineAdapter(writePolicy: .catchUp), group: MultiThreadedEventLoopGroup.singleton, limits: limits,
            state: state)
    }

    /// Version 2, from now on.
    private func wake() throws -> FakeVersion {
        try FakeVersion("two", waking: socket, table.endpoints[2] ?? one.endpoint)
    }

    @Test("a newer server does not write before the older one gave it what a version misses, and then knows it")
    func handOver() async throws {
        let old = makeServer(state: directory.path)
        await old.update(table)
        let client = try connect(to: old)
        for line in ["wi1", "w2"] { #expect(await ask(client, line) == "one:\(line)") }
        let new = makeServer(state: directory.path)
        await new.update(table)
        #expect(new.counters.writes.lag[2] != nil)
        // The write waits, and so would a read that came after it.
        let early = try connect(to: new)
        #expect(await ask(early, "r1") == "one:r1")
        early.send("w4\n")
        #expect(await ask(client, "w3") == "one:w3")
        await old.handOver { socket, rest in
            new.adopt(dup(socket), rest)
            return true
        }
        #expect(await onThread("client") { early.readLine() } == "one:w4")
        #expect(await ask(client, "w5") == "one:w5")
        let two = try wake()
        while await ask(client, "r") != "two:r" {}
        #expect(two.lines.filter { $0 != "r" } == ["wi1", "w2", "w3", "w4", "w5"])
        #expect(new.counters.writes.diverged.isEmpty)
    }

    @Test("a list of one version forgets what others missed")
    func alone() async throws {
        let server = makeServer(state: directory.path)
        await server.update(table)
        let client = try connect(to: server)
        #expect(await ask(client, "wi1") == "one:wi1")
        #expect(VersionFiles.missed(in: directory.path) == ["2.1.missed"])
        await server.update(VersionTable(generation: 2, versions: [1], endpoints: table.endpoints))
        #expect(VersionFiles.missed(in: directory.path).isEmpty)
    }

    @Test("files all of whose writes are done are removed, one after the other")
    func files() async throws {
        var limits = Limits.standard
        limits.catchUpFileBytesMax = 1
        let server = makeServer(state: directory.path, limits: limits)
        await server.update(table)
        let client = try connect(to: server)
        let written = (1...5).map { "wi\($0)" }
        for line in written { #expect(await ask(client, line) == "one:\(line)") }
        #expect(VersionFiles.missed(in: directory.path).count == 5)
        let two = try wake()
        while await ask(client, "r") != "two:r" {}
        #expect(two.lines.filter { $0 != "r" } == written)
        #expect(VersionFiles.missed(in: directory.path).isEmpty)
    }

    @Test("when the log can take no more, no write is said to be done that would be lost, and operators see why")
    func full() async throws {
        var limits = Limits.standard
        limits.catchUpLogBytesMax = 100
        let server = makeServer(state: directory.path, limits: limits)
        await server.update(table)
        #expect(await ask(try connect(to: server), "wi1") == "one:wi1")
        // Version one has done it when it turns out that it cannot be kept: whether it is done is left open.
        #expect(await ask(try connect(to: server), "wi2" + String(repeating: ".", count: 50)) == nil)
        let client = try connect(to: server)
        #expect(await ask(client, "wi3") == "!unkept")
        #expect(await ask(client, "r") == "one:r")
        #expect(server.counters.writes.disk[2]?.contains("No space left") == true)
        #expect(server.counters.writes.unkept[2, default: 0] > 0)
        #expect(server.counters.writes.trouble.isEmpty)
        // In this process nothing is lost, and when the version is back, all is well again.
        let two = try wake()
        while await ask(client, "r") != "two:r" {}
        #expect(two.lines.filter { $0 != "r" } == one.lines.filter { $0 != "r" })
        #expect(await ask(client, "w4") == "two:w4")
        #expect(server.counters.writes.disk.isEmpty)
    }

    @Test("a directory that cannot be used is reported, stops only writes that need it, and is used once it can be")
    func unusable() async throws {
        let parent = directory.path + "/parent"
        let server = makeServer(state: parent + "/state")
        await server.update(table)
        #expect(server.counters.writes.disk[2]?.contains("No such file") == true)
        let client = try connect(to: server)
        #expect(await ask(client, "r") == "one:r")
        // Nobody knows yet that the version is down.
        #expect(await ask(client, "wi1") == nil)
        let again = try connect(to: server)
        #expect(await ask(again, "w2") == "!unkept")
        #expect(mkdir(parent, 0o700) == 0)
        while await ask(again, "w2") != "one:w2" {}
        #expect(VersionFiles.missed(in: parent + "/state") == ["2.1.missed"])
        #expect(server.counters.writes.disk.isEmpty)
    }

    @Test("a queue that is full refuses writes instead of losing them")
    func queueFull() async throws {
        var limits = Limits.standard
        limits.catchUpEntriesMax = 1
        let server = makeServer(state: directory.path, limits: limits)
        await server.update(table)
        let client = try connect(to: server)
        #expect(await ask(client, "wi1") == "one:wi1")
        #expect(await ask(client, "wi2") == "!unkept")
        #expect(one.lines == ["wi1"])
        #expect(server.counters.writes.diverged.isEmpty)
    }
}
