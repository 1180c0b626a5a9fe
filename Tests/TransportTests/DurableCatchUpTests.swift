import Glibc
import Testing
import VersionKitModel
import VersionKitProcesses

/// A proxy that is killed knows what its versions missed when it is started anew, although their keys cannot be compared.
///
/// Method: a real process, killed; versions that note every line they get.
@Suite("Catching up after the proxy was killed")
struct DurableCatchUpTests {
    @Test("all missed writes are brought to a version in order, none is lost and none comes twice")
    func inOrder() async throws {
        let one = try FakeVersion("one")
        let (socket, down) = try Loopback.refuse()
        let directory = try TemporaryDirectory()
        let (versions, options): ([Version: Endpoint], [String]) = (
            [1: one.endpoint, 2: down], ["--state", directory.path + "/missed"]
        )
        // None of them may be done twice; the first one finds out that the version is down.
        var written: [String] = []
        for round in 0..<3 {
            let proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
            let client = try proxy.client()
            for number in 0..<20 {
                let line = "add \(round) \(number)"
                #expect(await ask(client, line) == "one:\(line)")
                written.append(line)
            }
            #expect(await ask(client, "get \(round)") == "one:get \(round)")
            await proxy.kill()
        }
        let proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
        try await proxy.said("lag-2=60")
        let two = try FakeVersion("two", waking: socket, down)
        defer {
            one.stop()
            two.stop()
        }
        let client = try proxy.client()
        // Behind, the version is not read from; when it is not any more, it is the newest.
        while await ask(client, "get") != "two:get" {}
        #expect(two.lines.filter { $0 != "get" } == written)
        #expect(await ask(client, "add last") == "two:add last")
        #expect(proxy.counters.contains("diverged") == false)
        #expect(VersionFiles.missed(in: directory.path + "/missed") == [])
        await proxy.kill()
        // Nothing is left to do for the next one.
        let next = try await ProxyUnderTest(versions, in: directory.path, options: options)
        #expect(await ask(try next.client(), "get") == "two:get")
        #expect(two.lines.filter { $0 != "get" } == written + ["add last"])
        await next.kill()
    }

    @Test("a write that was on its way when the proxy was killed is sent again only if it may be done twice")
    func unknownFate() async throws {
        let one = try FakeVersion("one")
        let (socket, down) = try Loopback.refuse()
        let directory = try TemporaryDirectory()
        let (versions, options): ([Version: Endpoint], [String]) = (
            [1: one.endpoint, 2: down], ["--state", directory.path + "/missed"]
        )
        var proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
        let client = try proxy.client()
        let written = ["set a", "add b", "add c", "set d"]
        for line in written { #expect(await ask(client, line) == "one:\(line)") }
        await proxy.kill()
        // It takes the second one, and does not answer before the proxy is killed.
        let arrived = AsyncStream.makeStream(of: Void.self)
        let isAnswering = Switch()
        let two = try FakeVersion("two", waking: socket, down) { line in
            if line == "add b", !isAnswering.isOn {
                arrived.continuation.yield()
                return .silence
            }
            return .say("two:\(line)\n")
        }
        defer {
            one.stop()
            two.stop()
        }
        proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
        for await _ in arrived.stream { break }
        await proxy.kill()
        isAnswering.turnOn()
        proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
        try await proxy.said("diverged-2=1")
        let again = try proxy.client()
        while await ask(again, "get") != "two:get" {}
        #expect(two.lines.filter { $0 != "get" } == written)
        await proxy.kill()
    }

    @Test("a log whose middle was changed brings what can be read, and the rest is counted")
    func damaged() async throws {
        let one = try FakeVersion("one")
        let (socket, down) = try Loopback.refuse()
        let directory = try TemporaryDirectory()
        let (versions, options): ([Version: Endpoint], [String]) = (
            [1: one.endpoint, 2: down], ["--state", directory.path + "/missed"]
        )
        var proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
        let client = try proxy.client()
        for line in ["set a", "set b", "set c"] { #expect(await ask(client, line) == "one:\(line)") }
        await proxy.kill()
        let file = open(directory.path + "/missed/2.1.missed", O_WRONLY | O_CLOEXEC)
        #expect(pwrite(file, "?", 1, lseek(file, 0, SEEK_END) - 1) == 1)
        close(file)
        let two = try FakeVersion("two", waking: socket, down)
        defer {
            one.stop()
            two.stop()
        }
        proxy = try await ProxyUnderTest(versions, in: directory.path, options: options)
        try await proxy.said("diverged-2=1")
        let again = try proxy.client()
        while await ask(again, "get") != "two:get" {}
        #expect(two.lines.filter { $0 != "get" } == ["set a", "set b"])
        await proxy.kill()
    }
}

/// The files of a state directory.
enum VersionFiles {
    static func missed(in directory: String) -> [String] { all(in: directory).filter { $0.hasSuffix(".missed") } }

    static func all(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }
}
