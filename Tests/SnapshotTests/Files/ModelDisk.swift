import Glibc

@testable import VersionKitIsolation

/// Random numbers that are the same each time.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// A file system in memory, whose clock is as coarse as a kernel's, and a copy of it that is made as decided.
struct ModelDisk {
    /// What a file or directory has, apart from names.
    struct Node: Equatable {
        var mode: mode_t
        var content: Int
        var changed: Int
    }

    private static let names = ["a", "b", "c", "d", "e"].map { Array($0.utf8CString) }

    /// A name from the root; that of the root has no part.
    typealias Path = [FileTree.Name]

    private(set) var time = 100
    private(set) var inodes: [ino_t: Node] = [1: Node(mode: S_IFDIR, content: 0, changed: 0)]
    private(set) var entries: [Path: ino_t] = [[]: 1]
    private var counter: ino_t = 1

    /// Some changes, at most of which the clock goes on.
    mutating func change(_ count: Int, _ random: inout Seeded) {
        for _ in 0..<count {
            if Int.random(in: 0..<4, using: &random) == 0 { time += 1 }
            changeOnce(&random)
        }
    }

    mutating func wait() { time += 1 }

    private mutating func changeOnce(_ random: inout Seeded) {
        // Mostly deep below, as what is done to a directory at the top is the end of much.
        let depth = [1, 2, 2, 3, 3, 3, 3].randomElement(using: &random) ?? 1
        let path = (0..<depth).map { _ in Self.names.randomElement(using: &random) ?? [] }
        guard let parent = entries[path.dropLast()], inodes[parent]?.mode == S_IFDIR else { return }
        let old = entries[path]
        // Directories are seldom lost, or little would be left.
        let isSpared = old.flatMap { inodes[$0]?.mode } == S_IFDIR && Int.random(in: 0..<20, using: &random) > 0
        switch isSpared ? 7 : Int.random(in: 0..<12, using: &random) {
        case 0: remove(path)
        case 1, 2, 3, 4, 5, 6:
            // Perhaps in the place of another one, and with a number that was another's.
            remove(path)
            add(path, depth < 3 && Int.random(in: 0..<3, using: &random) > 0 ? S_IFDIR : S_IFREG, &random)
        case 7, 8: if let old { touch(old) }
        default:
            let files = entries.filter { inodes[$0.value]?.mode == S_IFREG }.sorted { "\($0.key)" < "\($1.key)" }
            guard let other = files.randomElement(using: &random), other.key != path else { return }
            remove(path)
            guard entries[path.dropLast()] != nil, entries[other.key] != nil else { return }
            entries[path] = other.value
            // Moved, or linked.
            if Bool.random(using: &random) { entries[other.key] = nil }
            inodes[other.value]?.changed = time
        }
        if entries[path] != old, let parent = entries[path.dropLast()] { touch(parent) }
    }

    private mutating func touch(_ number: ino_t) {
        counter += 1
        inodes[number]?.content = Int(counter)
        inodes[number]?.changed = time
    }

    private mutating func add(_ path: Path, _ mode: mode_t, _ random: inout Seeded) {
        let number = ino_t.random(in: 2...200, using: &random)
        guard inodes[number] == nil else { return }
        inodes[number] = Node(mode: mode, content: 0, changed: time)
        entries[path] = number
        touch(number)
    }

    private mutating func remove(_ path: Path) {
        for inner in entries.keys where inner.starts(with: path) {
            guard let number = entries.removeValue(forKey: inner) else { continue }
            if !entries.values.contains(number) { inodes[number] = nil } else { inodes[number]?.changed = time }
        }
    }

    /// What is found in it.
    func listing(_ path: Path = []) -> FileTree {
        let number = entries[path] ?? 0
        let node = inodes[number]
        var tree = FileTree(
            status: FileStatus(
                id: FileID(device: 1, number: number), mode: node?.mode ?? 0,
                links: nlink_t(entries.values.count { $0 == number }), user: 0, group: 0, device: 0, size: 0,
                modified: FileTime(seconds: 0), changed: FileTime(seconds: node?.changed ?? 0)))
        for inner in entries.keys where inner.count == path.count + 1 && inner.starts(with: path) {
            tree.children[inner[path.count]] = listing(inner)
        }
        return tree
    }
}

/// What was copied: contents by names, and which names are of one file.
struct ModelCopy: Equatable {
    private(set) var contents: [ModelDisk.Path: ModelDisk.Node] = [
        []: ModelDisk.Node(mode: S_IFDIR, content: 0, changed: 0)
    ]
    /// Files that were made, by a number of the copy's own.
    private var files: [ModelDisk.Path: Int] = [:]
    private var counter = 0

    /// Does what was decided.
    mutating func apply(_ update: TreeUpdate, of disk: ModelDisk) {
        var links: [ino_t: Int] = [:]
        apply(update, [], disk, &links)
    }

    private mutating func apply(
        _ update: TreeUpdate, _ path: ModelDisk.Path, _ disk: ModelDisk, _ links: inout [ino_t: Int]
    ) {
        for name in update.removed {
            let prefix = path + [name]
            contents = contents.filter { !$0.key.starts(with: prefix) }
            files = files.filter { !$0.key.starts(with: prefix) }
        }
        for (name, step) in update.children {
            let inner = path + [name]
            guard let number = disk.entries[inner], let node = disk.inodes[number] else { continue }
            precondition((contents[inner] == nil) == (step.step == .make), "made where something stands, or nothing")
            contents[inner] = node
            if node.mode == S_IFREG {
                counter += 1
                files[inner] = links[number, default: counter]
                links[number] = files[inner]
            }
            apply(step, inner, disk, &links)
        }
    }

    /// Which names are of one file.
    var linked: Set<Set<ModelDisk.Path>> { Set(Dictionary(grouping: files.keys) { files[$0] }.values.map { Set($0) }) }
}
