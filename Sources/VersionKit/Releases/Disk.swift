// Where a file beside it in the compiler's batch imports this module, it takes the calls of files for its own.
internal import CLinux

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Directories and whole files, in the few shapes that this module needs, with errors that name the path.
package enum Disk {
    package enum Kind { case file, directory, other }

    /// What stands at a path, links followed; `nil` if nothing does.
    package static func kind(of path: String) throws(ReleaseError) -> Kind? {
        var info = stat()
        guard stat(path, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw ReleaseError.system("look at", path)
        }
        switch info.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        default: return .other
        }
    }

    /// The permission bits of a file.
    package static func mode(of path: String) throws(ReleaseError) -> UInt32 {
        var info = stat()
        guard stat(path, &info) == 0 else { throw ReleaseError.system("look at", path) }
        return UInt32(info.st_mode) & 0o7777
    }

    /// Makes a directory and those above it; one that exists is left as it is.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(ReleaseError) {
        if mkdir(path, mode_t(mode)) == 0 { return }
        switch errno {
        case EEXIST:
            guard try kind(of: path) == .directory else {
                throw ReleaseError(.conflict, "\(path) is not a directory", side: .node, remedy: "move it away")
            }
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { fallthrough }
            try makeDirectory(String(path[..<slash]), mode: mode)
            try makeDirectory(path, mode: mode)
        default:
            throw ReleaseError.system("make the directory", path)
        }
    }

    /// A new directory with a name that nobody else has.
    package static func makeTemporaryDirectory(in directory: String) throws(ReleaseError) -> String {
        var template = Array("\(directory)/tree-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ReleaseError.system("make a directory in", directory) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func setMode(_ path: String, _ mode: UInt32) throws(ReleaseError) {
        guard chmod(path, mode_t(mode)) == 0 else { throw ReleaseError.system("change the mode of", path) }
    }

    /// The names in a directory, sorted; none if there is no such directory.
    package static func names(in directory: String) throws(ReleaseError) -> [String] {
        guard try kind(of: directory) != nil else { return [] }
        return try rawNames(in: Array(directory.utf8CString)).map { name in
            String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }.sorted()
    }

    /// Moves a file or directory; a file that stands there is replaced.
    package static func move(_ source: String, to target: String) throws(ReleaseError) {
        guard rename(source, target) == 0 else { throw ReleaseError.system("move \(source) to", target) }
    }

    /// Gives a file a second name. One that stands there stays.
    static func addName(_ target: String, to path: String) throws(ReleaseError) {
        guard link(path, target) == 0 || errno == EEXIST else { throw ReleaseError.system("link \(path) to", target) }
    }

    /// Moves a directory to a name that must be free. False if somebody was faster.
    package static func moveIfFree(_ source: String, to target: String) throws(ReleaseError) -> Bool {
        if rename(source, target) == 0 { return true }
        if errno == EEXIST || errno == ENOTEMPTY { return false }
        throw ReleaseError.system("move \(source) to", target)
    }

    /// Makes renames in this directory survive a power cut.
    package static func flushDirectory(_ path: String) throws(ReleaseError) {
        try OpenFile.reading(path).flush()
    }

    static let bootBytesMax = 256

    /// What the kernel calls the time since the machine was started; where it does not say, always the same.
    static var boot: String {
        let bytes = try? readFile("/proc/sys/kernel/random/boot_id", bytesMax: bootBytesMax)
        return String(decoding: bytes ?? Array("unknown".utf8), as: UTF8.self)
    }

    /// The path without links, `.` and `..`.
    static func realPath(_ path: String) throws(ReleaseError) -> String {
        guard let resolved = realpath(path, nil) else { throw ReleaseError.system("find", path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    package static func readFile(_ path: String, bytesMax: Int) throws(ReleaseError) -> [UInt8] {
        let file = try OpenFile.reading(path)
        var bytes: [UInt8] = []
        try file.forEachChunk { (chunk) throws(ReleaseError) in
            guard bytes.count + chunk.count <= bytesMax else {
                throw ReleaseError(
                    .limitExceeded, "\(path) is longer than \(bytesMax) bytes", side: .publisher,
                    remedy: "make it shorter")
            }
            bytes.append(contentsOf: chunk)
        }
        return bytes
    }

    /// Writes a file so that at any time, power cuts included, either the old or the new content is there.
    ///
    /// - Parameter temporary: A directory on the same file system for the unfinished file.
    package static func writeAtomically(
        _ bytes: [UInt8], to path: String, by temporary: String, mode: UInt32 = 0o644
    ) throws(ReleaseError) {
        let file = try OpenFile.temporary(in: temporary)
        do throws(ReleaseError) {
            try bytes.span.bytes.withUnsafeBytes { (raw) throws(ReleaseError) in try file.writeAll(raw) }
            try setMode(file.path, mode)
            try file.flush()
            try move(file.path, to: path)
        } catch {
            removeFile(file.path)
            throw error
        }
        try flushDirectory(parent(of: path))
    }

    /// Gives a file that was written its name, so that it has it only when its bytes are on the disk.
    static func keep(_ file: borrowing OpenFile, as path: String) throws(ReleaseError) {
        try setMode(file.path, 0o644)
        try file.flush()
        try move(file.path, to: path)
        try flushDirectory(parent(of: path))
    }

    /// Removes a file that may be gone already; whether that worked only matters to the next sweep.
    package static func removeFile(_ path: String) {
        unlink(path)
    }

    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

// MARK: - Trees

extension Disk {
    /// Removes a file or a directory with all that is in it, without following links. Nothing there is no error.
    package static func removeTree(_ path: String) throws(ReleaseError) {
        // Names are bytes here: what a layer unpacked to need not be UTF-8.
        try removeTree(Array(path.utf8CString))
    }

    private static func removeTree(_ path: [CChar]) throws(ReleaseError) {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            if errno == ENOENT { return }
            throw ReleaseError.system("look at", text(path))
        }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 || errno == ENOENT else { throw ReleaseError.system("remove", text(path)) }
            return
        }
        // A layer may hold directories that not even their owner may change.
        if info.st_mode & S_IRWXU != S_IRWXU { chmod(path, S_IRWXU) }
        // A program that is just being killed may still add to what it was making, but not for long.
        for _ in 0..<removalPasses {
            for name in try rawNames(in: path) {
                try removeTree(path.dropLast() + [CChar(UInt8(ascii: "/"))] + name)
            }
            if rmdir(path) == 0 || errno == ENOENT { return }
            guard errno == ENOTEMPTY else { break }
        }
        throw ReleaseError.system("remove", text(path))
    }

    /// How often a directory is emptied before it counts as one that somebody fills.
    private static let removalPasses = 100

    /// The names in a directory as zero-terminated bytes, without `.` and `..`.
    package static func rawNames(in path: [CChar]) throws(ReleaseError) -> [[CChar]] {
        guard let directory = opendir(path) else { throw ReleaseError.system("list", text(path)) }
        defer { closedir(directory) }
        var names: [[CChar]] = []
        errno = 0
        while let entry = readdir(directory) {
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
            let name = Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1))
            if !["..", "."].contains(text(name)) { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw ReleaseError.system("list", text(path)) }
        return names
    }

    private static func text(_ path: [CChar]) -> String {
        String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
