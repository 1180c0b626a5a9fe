import Glibc
import Testing

@testable import VersionKitIsolation

@Suite("What is copied again of a tree that was copied before")
struct TreeUpdateTests {
    @Test("whatever changes between the passes, the copy is what is there in the end")
    func everyChange() {
        for seed in 0..<300 {
            var random = Seeded(seed)
            var disk = ModelDisk()
            disk.change(600, &random)
            var copy = ModelCopy()
            var listing: FileTree?
            var rule: SteadyFiles?
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Some of the time everything happens while the clock stands still.
                if Bool.random(using: &random) { disk.wait() }
                let mark = disk.time
                let found = disk.listing()
                if let update = TreeUpdate(from: listing, to: found, rule) { copy.apply(update, of: disk) }
                #expect(Self.names(copy) == Self.names(disk), "seed \(seed)")
                #expect(copy.linked == Self.linked(disk), "seed \(seed)")
                (listing, rule) = (found, SteadyFiles(device: 1, since: FileTime(seconds: mark)))
                disk.change(Int.random(in: 0..<20, using: &random), &random)
            }
        }
    }

    @Test("nothing is done about what did not change, and all is done again where changes cannot be told")
    func steady() throws {
        var random = Seeded(3)
        var disk = ModelDisk()
        disk.change(1200, &random)
        disk.wait()
        let listing = disk.listing()
        let since = FileTime(seconds: disk.time)
        #expect(TreeUpdate(from: listing, to: listing, SteadyFiles(device: 1, since: since)) == nil)
        var files = 0
        listing.forEach { if !$0.status.isDirectory { files += 1 } }
        try #require(files > 10, "\(files)")
        for rule in [SteadyFiles(device: 2, since: since), SteadyFiles(device: 1, since: FileTime(seconds: 0))] {
            let update = try #require(TreeUpdate(from: listing, to: listing, rule))
            #expect(Self.made(update) == files)
        }
    }

    private static func made(_ update: TreeUpdate) -> Int {
        update.children.values.reduce(update.step == .make && update.children.isEmpty ? 1 : 0) { $0 + made($1) }
    }

    private static func names(_ copy: ModelCopy) -> [ModelDisk.Path: ModelDisk.Node] {
        // The copy's own directory is nobody's copy.
        copy.contents.filter { !$0.key.isEmpty }
    }

    private static func names(_ disk: ModelDisk) -> [ModelDisk.Path: ModelDisk.Node] {
        disk.entries.filter { !$0.key.isEmpty }.compactMapValues { disk.inodes[$0] }
    }

    private static func linked(_ disk: ModelDisk) -> Set<Set<ModelDisk.Path>> {
        let files = disk.entries.filter { disk.inodes[$0.value]?.mode == S_IFREG }
        return Set(Dictionary(grouping: files.keys) { files[$0] }.values.map { Set($0) })
    }
}
