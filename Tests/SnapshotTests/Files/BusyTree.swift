import Foundation
import Synchronization

/// Changes a directory in every way that a program can, from a seed.
final class BusyTree {
    private static let names = ["a", "b", "c", "d", "e", "f", "g", "h"]
    private static let mappedBytes = 64 << 10

    private let root: String
    private var random: Seeded
    /// Files that are written to through memory, whatever becomes of their names.
    private var mapped: [UnsafeMutableRawPointer] = []

    init(_ root: String, seed: Int) {
        self.root = root
        random = Seeded(seed)
    }

    deinit { for memory in mapped { munmap(memory, Self.mappedBytes) } }

    /// Makes a file that stays mapped, with bytes that were written through memory.
    func map(_ name: String) {
        let file = open("\(root)/\(name)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        precondition(file >= 0 && ftruncate(file, off_t(Self.mappedBytes)) == 0, "a file is made")
        guard let memory = mmap(nil, Self.mappedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
            memory != MAP_FAILED
        else { preconditionFailure("a file is mapped") }
        close(file)
        memset(memory, 1, Self.mappedBytes)
        mapped.append(memory)
    }

    /// Writes into each of the mapped files.
    func store() {
        for memory in mapped {
            let place = Int.random(in: 0..<Self.mappedBytes, using: &random)
            memory.storeBytes(of: .random(in: 0...255, using: &random), toByteOffset: place, as: UInt8.self)
        }
    }

    /// What fails as something is not there, or is something else, is no matter.
    func change(_ count: Int) {
        for _ in 0..<count { changeOnce() }
    }

    private var path: String {
        root
            + (0..<Int.random(in: 1...3, using: &random)).map { _ in
                "/" + (Self.names.randomElement(using: &random) ?? "")
            }.joined()
    }

    private func changeOnce() {
        let path = path
        switch Int.random(in: 0..<16, using: &random) {
        case 0: mkdir(path, 0o755)
        case 1, 2, 3: write(path, O_CREAT | O_TRUNC)
        case 4: write(path, O_APPEND)
        case 5: write(path, 0)
        case 6, 7: rename(self.path, path)
        case 8: link(self.path, path)
        case 9: symlink(String(random.next()), path)
        case 10: mknod(path, S_IFCHR, 0)
        case 11: if unlink(path) != 0 { rmdir(path) }
        case 12: lchown(path, uid_t.random(in: 0...9, using: &random), 0)
        case 13: mkfifo(path, 0o600)
        case 14:
            var times = [timespec(), timespec()]
            utimensat(AT_FDCWD, path, &times, AT_SYMLINK_NOFOLLOW)
        default: store()
        }
    }

    private func write(_ path: String, _ flags: Int32) {
        let file = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0o644)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = [UInt8](
            repeating: .random(in: 0...255, using: &random), count: .random(in: 0...20_000, using: &random))
        if flags == 0 { lseek(file, off_t.random(in: 0...4000, using: &random), SEEK_SET) }
        Glibc.write(file, bytes, bytes.count)
    }
}

/// Changes a directory without a break until it is ended.
final class BusyWorker: Sendable {
    private let isEnded = Mutex(false)
    private let root: String
    private let seed: Int

    init(_ root: String, seed: Int) {
        self.root = root
        self.seed = seed
    }

    /// Works; returns when it was ended.
    func work() async {
        let tree = BusyTree(root, seed: seed)
        while !isEnded.withLock({ $0 }) {
            tree.change(20)
            await Task.yield()
        }
    }

    func end() { isEnded.withLock { $0 = true } }
}
