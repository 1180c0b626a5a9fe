import Foundation
import Testing
import VersionKitIsolation
import VersionKitProcesses

@Suite("Snapshots of files, on each kind of file system")
struct FileSnapshotTests {
    /// An overlay with everything in its upper directory that an application can bring about.
    private static func makeOverlay(_ root: String) async throws {
        try Subvolume.makeDirectory("\(root)/base")
        try await sh(
            """
            cd '\(root)'
            mkdir -p lower/opaque base/upper base/work base/root
            echo old >lower/changed; echo gone >lower/removed; echo hidden >lower/opaque/hidden
            mount -t overlay -o lowerdir=lower,upperdir=base/upper,workdir=base/work overlay base/root
            cd base/root
            echo new >changed; rm removed; rm -r opaque; mkdir opaque; echo seen >opaque/seen
            echo tool >tool; chown 1234:5678 tool; chmod 4755 tool
            echo two >one; ln one other; ln -s nowhere link; mkfifo -m 600 pipe
            truncate -s 10m sparse; printf end | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
            head -c 3000000 /dev/urandom >large; : >empty; echo bytes >"$(printf 'not-utf8-\\377')"
            mkdir -m 750 closed; chown 1234 closed; echo in >closed/file
            find . -exec touch --no-dereference --date=2001-02-03T04:05:06.789 {} +
            """)
    }

    @Test("a snapshot is the upper directory, whatever an application did to it", arguments: LoopDisk.Kind.allCases)
    func everything(kind: LoopDisk.Kind) async throws {
        try await withDisk(kind) { root in
            try await Self.makeOverlay(root)
            let figures = try await FileSnapshot.take(
                ["upper"], of: "\(root)/base", to: "\(root)/copy", limit: .seconds(30))
            #expect(figures.method == kind.expectedMethod)
            #expect((3_000_000..<8_000_000).contains(figures.bytes), "\(figures.bytes): the hole takes no room")
            #expect(try await listing(of: "\(root)/copy/upper") == listing(of: "\(root)/base/upper"))
            #expect(try await sh("ls '\(root)/copy'") == "upper\n")
            // And the kernel takes it for what it was.
            try await sh(
                """
                cd '\(root)'; mkdir copy/work copy/root
                mount -t overlay -o lowerdir=lower,upperdir=copy/upper,workdir=copy/work overlay copy/root
                """)
            #expect(try await listing(of: "\(root)/copy/root") == listing(of: "\(root)/base/root"))
            #expect(try await sh("cd '\(root)/copy/root'; ls opaque; cat changed") == "seen\nnew\n")
        }
    }

    @Test("what is written later is not in it, and a copy of it can be gone on with", arguments: LoopDisk.Kind.allCases)
    func independence(kind: LoopDisk.Kind) async throws {
        try await withDisk(kind) { root in
            try Subvolume.makeDirectory("\(root)/base")
            try await sh("mkdir '\(root)/base/upper'; echo 1 >'\(root)/base/upper/state'")
            _ = try await FileSnapshot.take(["upper"], of: "\(root)/base", to: "\(root)/kept", limit: .seconds(30))
            try await sh("echo 2 >'\(root)/base/upper/state'")
            let figures = try await FileSnapshot.take(of: "\(root)/kept", to: "\(root)/again", limit: .seconds(30))
            #expect(figures.method == kind.expectedMethod)
            try await sh("echo 3 >'\(root)/again/upper/state'")
            #expect(
                try await sh("cd '\(root)'; cat kept/upper/state base/upper/state again/upper/state") == "1\n2\n3\n")
            try Subvolume.removeDirectory("\(root)/kept")
            #expect(try await sh("ls '\(root)'") == "again\nbase\n")
        }
    }

    @Test("the environment stands still while it is copied, and its pause is told")
    func pause() async throws {
        try await withDisk(.ext4) { root in
            try await sh("mkdir -p '\(root)/base/upper'; echo old >'\(root)/base/upper/state'")
            var events: [String] = []
            let figures = try await FileSnapshot.take(
                ["upper"], of: "\(root)/base", to: "\(root)/copy", limit: .seconds(30),
                pausing: FileSnapshot.Pausing(
                    pause: { () throws(IsolationError) in
                        events.append("pause")
                        // What is there when it stands still is what is copied.
                        _ = try? await sh("echo new >'\(root)/base/upper/state'")
                    },
                    resume: { () throws(IsolationError) in
                        events.append("resume")
                        // And what comes afterwards is not in it.
                        #expect((try? await sh("cat '\(root)/copy/upper/state'")) == "new\n")
                        _ = try? await sh("echo later >'\(root)/base/upper/state'")
                    },
                    meanwhile: { () throws(IsolationError) in events.append("meanwhile") }))
            #expect(events == ["pause", "meanwhile", "resume"])
            #expect(try await sh("cat '\(root)/copy/upper/state'") == "new\n")
            #expect(figures.pause > .zero && figures.pause < figures.total)
        }
    }

    @Test(
        "whatever fails, the environment goes on and nothing is left",
        arguments: ["pause", "meanwhile", "copy", "resume"])
    func failure(step: String) async throws {
        try await withDisk(.ext4) { root in
            try await sh("mkdir -p '\(root)/base/upper'")
            var resumed = 0
            await #expect(throws: IsolationError.self) {
                try await FileSnapshot.take(
                    step == "copy" ? ["upper", "missing"] : ["upper"], of: "\(root)/base", to: "\(root)/copy",
                    limit: .seconds(30),
                    pausing: FileSnapshot.Pausing(
                        pause: { () throws(IsolationError) in if step == "pause" { throw IsolationError(step) } },
                        resume: { () throws(IsolationError) in
                            resumed += 1
                            if step == "resume" { throw IsolationError(step) }
                        },
                        meanwhile: { () throws(IsolationError) in
                            if step == "meanwhile" { throw IsolationError(step) }
                        }))
            }
            #expect(resumed == 1)
            #expect(try await sh("ls '\(root)'") == "base\n")
        }
    }

    @Test("a copy that takes too long is given up, and an older one is never written over")
    func limits() async throws {
        try await withDisk(.ext4) { root in
            try await sh("mkdir -p '\(root)/base/upper' '\(root)/older'")
            await #expect(throws: IsolationError.self) {
                try await FileSnapshot.take(of: "\(root)/base", to: "\(root)/copy", limit: .zero)
            }
            await #expect(throws: IsolationError.self) {
                try await FileSnapshot.take(of: "\(root)/base", to: "\(root)/older", limit: .seconds(30))
            }
            #expect(try await sh("ls '\(root)'") == "base\nolder\n")
        }
    }
}
