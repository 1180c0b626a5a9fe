import CFSClient
import CFSMemoryGateway
import CFSModel
import Glibc
import NIOCore
import Testing
import VersionKitProcesses

/// Goal: `cfs` publishes a directory and gives it back, says what is wrong by its exit code, and believes nobody.
struct ProgramTests {
    /// A key, a tree, and the name of what is published.
    private func publish(_ scene: Scene) async throws -> String {
        try scene.make("tree")
        try scene.make("tree/sub")
        try scene.write("hello\n", to: "tree/a")
        try scene.write("#!/bin/sh\n", to: "tree/sub/run", mode: 0o755)
        try scene.write(String(repeating: "0123456789", count: 10_000), to: "tree/sub/big")
        try #require(symlink("sub/run", scene.folder + "/tree/link") == 0)
        let made = try await scene.run("cfs", "key", "make", scene.folder + "/key")
        let published = try await scene.run("cfs", "publish", "--key", scene.folder + "/key", scene.folder + "/tree")
        #expect(published.exit == .code(0), "\(published.output)")
        let name = made.output.split(separator: "\n")[0]
        #expect(published.output.contains(name))
        return String(name)
    }

    @Test("a tree is published, listed, read, verified and copied, in either form", arguments: GatewayForm.allCases)
    func roundTrip(form: GatewayForm) async throws {
        let scene = try Scene(form)
        try await scene.run {
            let name = try await publish(scene)
            #expect(try await scene.run("cfs", "ls", name).output == "a\nlink\nsub\n")
            #expect(try await scene.run("cfs", "cat", "chord:" + name, "/a", "/link").output == "hello\n#!/bin/sh\n")
            let long = try await scene.run("cfs", "ls", "-l", name, "/sub").output
            #expect(long.contains("-r-xr-xr-x 1") && long.contains("100000"))
            let stat = try await scene.run("cfs", "stat", name, "/link", "--json").output
            #expect(stat.contains(#""kind":"link""#) && stat.contains(#""target":"sub/run""#))
            let verified = try await scene.run("cfs", "verify", name, "--json").output
            #expect(verified.contains(#""files":3"#) && verified.contains(#""fileBytes":100016"#))
            let copied = try await scene.run("cfs", "get", name, "/", scene.folder + "/copy")
            #expect(copied.exit == .code(0), "\(copied.output)")
            let same = try await Command.run("diff", ["-r", scene.folder + "/tree", scene.folder + "/copy"])
            #expect(same.exit == .code(0), "\(same.output)")
            // What is there already is never replaced.
            let again = try await scene.run("cfs", "get", name, "/a", scene.folder + "/copy")
            #expect(again.exit == .code(74))
        }
    }

    @Test("earlier publications are snapshots, by path and by date")
    func snapshots() async throws {
        let scene = try Scene()
        try await scene.run {
            let name = try await publish(scene)
            try scene.write("changed\n", to: "tree/a")
            let second = try await scene.run(
                "cfs", "publish", "--json", "--key", scene.folder + "/key", scene.folder + "/tree")
            #expect(second.output.contains(#""snapshots":1"#), "\(second.output)")
            let dates = try await scene.run("cfs", "snapshots", name).output.split(separator: "\n").map(String.init)
            let date = try #require(dates.first)
            #expect(try await scene.run("cfs", "cat", name, "/a").output == "changed\n")
            #expect(try await scene.run("cfs", "cat", name, "/a", "--at", date).output == "hello\n")
            #expect(try await scene.run("cfs", "cat", name, "/.snapshots/\(date)/a").output == "hello\n")
            #expect(try await scene.run("cfs", "cat", name, "/a", "--at", "1990-01-01T00:00:00Z").exit == .code(66))
        }
    }

    @Test("an exit code says what is wrong")
    func exitCodes() async throws {
        let scene = try Scene()
        try await scene.run {
            let name = try await publish(scene)
            for (arguments, code) in [
                (["ls", name, "/none"], 66), (["cat", name, "/sub"], 66), (["ls", "no name"], 64),
                (["ls", "1234567890123456789012345678901234567890"], 69), (["ls", name, "--gateway", "nothing"], 64),
                (["ls", name, "--gateway", "/nowhere/at/all", "--attempts", "1"], 69),
                (["publish", "--key", "/nowhere/at/all", scene.folder], 74),
                (["publish", "--key", scene.folder + "/key", scene.folder + "/none"], 74),
                (["key", "make", scene.folder + "/key"], 74), (["--help"], 0),
            ] as [([String], Int32)] {
                let result = try await scene.run("cfs", arguments)
                #expect(result.exit == .code(code), "\(arguments): \(result.output)")
            }
            // The key of somebody else's eyes is no key.
            try #require(chmod(scene.folder + "/key", 0o644) == 0)
            #expect(try await scene.run("cfs", "key", "show", scene.folder + "/key").exit == .code(74))
        }
    }

    @Test("an older root than one that was seen, a damaged block and an expired root are refused")
    func refusals() async throws {
        let scene = try Scene()
        try await scene.run {
            let name = try await publish(scene)
            let id = try #require(ChordID(name))
            let old = try #require(scene.gateway.blocks[id])
            let key = scene.folder + "/key"
            let second = try await scene.run("cfs", "publish", "--key", key, scene.folder + "/tree")
            #expect(second.exit == .code(0))
            let new = try #require(scene.gateway.blocks[id])
            scene.gateway.put(old, for: id)
            let rolledBack = try await scene.run("cfs", "ls", name)
            #expect(rolledBack.exit == .code(65) && rolledBack.output.contains("was seen"), "\(rolledBack.output)")
            scene.gateway.put(new, for: id)
            let blocks = scene.gateway.blocks
            let (block, bytes) = try #require(blocks.first { $0.value.readableBytes > 8000 })
            scene.gateway.put(ByteBuffer(string: "lies"), for: block)
            let damaged = try await scene.run("cfs", "verify", name)
            #expect(damaged.exit == .code(65), "\(damaged.output)")
            #expect(try await scene.run("cfs", "get", name, "/sub", scene.folder + "/copy").exit == .code(65))
            #expect(access(scene.folder + "/copy/big", F_OK) != 0)
            scene.gateway.put(bytes, for: block)
            #expect(try await scene.run("cfs", "verify", name).exit == .code(0))
            // Whatever the clock says, it is over at once: versions grow, times of publication do not.
            let other = try await scene.run("cfs", "key", "make", scene.folder + "/other").output.split(
                separator: "\n")[0]
            let short = try await scene.run(
                "cfs", "publish", "--key", scene.folder + "/other", "--valid-for", "1s", scene.folder + "/tree")
            #expect(short.exit == .code(0))
            let end = ContinuousClock.now + .seconds(10)
            var expired = try await scene.run("cfs", "ls", String(other))
            while expired.exit == .code(0), ContinuousClock.now < end {
                expired = try await scene.run("cfs", "ls", String(other))
            }
            #expect(expired.exit == .code(65), "\(expired.output)")
            #expect(try await scene.run("cfs", "ls", String(other), "--allow-expired").exit == .code(0))
        }
    }

    @Test("cfs-dbm stores and fetches blocks of every kind, and sees what is lost or wrong")
    func dbm() async throws {
        let scene = try Scene(.of2008)
        try await scene.run {
            for kind in ["chash", "noauth", "keyhash"] {
                let result = try await scene.run(
                    "cfs-dbm", "--gateway", scene.socket, "--form", "2008", "--kind", kind, "--blocks", "40",
                    "--concurrency", "4", "--json")
                #expect(result.exit == .code(0), "\(result.output)")
                #expect(result.output.split(separator: "\n").count == 2)
            }
            #expect(scene.gateway.blocks.count == 120)
            let base = ["--gateway", scene.socket, "--form", "2008", "--blocks", "40"]
            let key = try #require(
                scene.gateway.blocks.first { ChordID(hashing: $0.value.readableBytesView) == $0.key }?.key)
            scene.gateway.put(ByteBuffer(string: "lies"), for: key)
            let wrong = try await scene.run("cfs-dbm", ["fetch"] + base)
            #expect(wrong.exit == .code(65) && wrong.output.contains("0 failed, 1 wrong"), "\(wrong.output)")
            scene.gateway.put(nil, for: key)
            let lost = try await scene.run("cfs-dbm", ["fetch", "--trace"] + base)
            #expect(lost.exit == .code(69) && lost.output.contains("not there"), "\(lost.output)")
        }
    }
}
