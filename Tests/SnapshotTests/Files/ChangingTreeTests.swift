import Foundation
import Testing
import VersionKitIsolation

@Suite("Snapshots of files while a version is at work")
struct ChangingTreeTests {
    /// File by file also on btrfs: what is copied is no subvolume.
    private static func withTree(_ kind: LoopDisk.Kind, _ body: (String) async throws -> Void) async throws {
        try await withDisk(kind) { root in
            try await sh("mkdir -p '\(root)/base/upper/quiet'; cd '\(root)/base/upper/quiet'; seq 50 | split -l 1")
            try await body(root)
        }
    }

    /// Waits until what is there counts as old.
    private static func age(_ root: String) async throws {
        try await sh(
            """
            cd '\(root)'; touch old; tries=0
            until touch new && [ "$(stat -c %Z new)" -gt "$(($(stat -c %Z old) + 2))" ]; do
                tries=$((tries + 1)); [ "$tries" -lt 500 ]; sleep 0.02
            done
            rm old new
            """)
    }

    @Test("what a version does until it stands still is in the snapshot", arguments: LoopDisk.Kind.allCases, 0..<3)
    func everything(kind: LoopDisk.Kind, seed: Int) async throws {
        try await Self.withTree(kind) { root in
            BusyTree("\(root)/base/upper", seed: seed).change(2000)
            let mapped = BusyTree("\(root)/base/upper", seed: seed)
            for name in ["map-1", "map-2", "map-3"] { mapped.map(name) }
            try await Self.age(root)
            mapped.store()
            let worker = BusyWorker("\(root)/base/upper", seed: seed + 100)
            let work = Task.detached { await worker.work() }
            let figures = try await FileSnapshot.take(
                ["upper"], of: "\(root)/base", to: "\(root)/copy", limit: .seconds(30),
                pausing: FileSnapshot.Pausing(
                    pause: { () throws(IsolationError) in
                        worker.end()
                        await work.value
                        mapped.store()
                    }, resume: { () throws(IsolationError) in }))
            #expect(figures.method == (kind == .ext4 ? .copy : .reflink))
            #expect(try await listing(of: "\(root)/copy/upper") == listing(of: "\(root)/base/upper"))
        }
    }

    @Test(
        "what changed in the last moment is copied again, and nothing else",
        arguments: LoopDisk.Kind.allCases)
    func lastMoment(kind: LoopDisk.Kind) async throws {
        try await Self.withTree(kind) { root in
            try await sh(
                """
                cd '\(root)/base/upper'; mkdir d; echo 1 >d/written; echo 1 >d/renamed; echo 1 >linked; mkdir e
                setfattr -n user.kept -v 1 e; setfattr -n user.removed -v 1 e; echo 1 >gone; echo 1 >mode; mkdir f
                echo 1 >f/inner; setfattr -n user.a -v 1 gone; echo 1 >replaced
                """)
            let mapped = BusyTree("\(root)/base/upper", seed: 1)
            mapped.map("mapped")
            try await Self.age(root)
            var before: [String] = []
            _ = try await FileSnapshot.take(
                ["upper"], of: "\(root)/base", to: "\(root)/copy", limit: .seconds(30),
                pausing: FileSnapshot.Pausing(
                    pause: { () throws(IsolationError) in
                        before = (try? await Self.files("\(root)/copy/upper/quiet")) ?? []
                        mapped.store()
                        _ = try? await sh(
                            """
                            cd '\(root)/base/upper'; echo 2 >d/written; mv d/renamed e; ln linked f/linked; rm gone
                            setfattr -x user.removed e; chmod 600 mode; mv f g; rm replaced; mkdir -p replaced/deep
                            """)
                    }, resume: { () throws(IsolationError) in }))
            #expect(try await listing(of: "\(root)/copy/upper") == listing(of: "\(root)/base/upper"))
            #expect(try await sh("cat '\(root)/copy/upper/d/written'") == "2\n")
            // The very files that were made before the pause.
            #expect(before.count == 50)
            #expect(try await Self.files("\(root)/copy/upper/quiet") == before)
        }
    }

    private static func files(_ directory: String) async throws -> [String] {
        try await sh("cd '\(directory)'; stat -c '%n %i %Z' *").split(separator: "\n").map(String.init)
    }
}
