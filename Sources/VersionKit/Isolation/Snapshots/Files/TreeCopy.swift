import CLinux
import Glibc

/// Makes or updates a copy of a tree with all that an overlay's upper directory is made of: owners, modes, times, extended
/// attributes, devices (deleted files are devices 0/0), hard links, holes. Files share their bytes where the file system can.
///
/// Names are bytes, as applications need not use UTF-8. Directories are held by descriptors, so that what is renamed
/// meanwhile leads nowhere else.
struct TreeCopy {
    /// How much is copied between two looks at the clock.
    private static let chunkBytes = 16 << 20
    /// What a call fails with as a file of a working version is another one now, or none.
    private static let errorsOfChange = [ENOENT, ENOTDIR, ELOOP, ENXIO, EINVAL, ENODATA, ERANGE]

    /// How many files were copied, directories and devices included.
    private(set) var files = 0
    /// How many of them byte by byte.
    private(set) var filesInFull = 0
    /// How many bytes that were.
    private(set) var bytesInFull = 0
    private let deadline: ContinuousClock.Instant
    private let isChanging: Bool
    /// Where the first name of a file with several was copied to, from the root of the copy.
    private var links: [FileID: FileTree.Name] = [:]
    private var root: Int32 = -1

    /// - Parameters:
    ///   - deadline: after which it is given up.
    ///   - isChanging: whether somebody is at work in the tree. What is not there any more is left out then.
    init(deadline: ContinuousClock.Instant, isChanging: Bool = false) {
        self.deadline = deadline
        self.isChanging = isChanging
    }

    /// Does what was decided; blocks. The two directories' own owners and modes stay as they are.
    ///
    /// - Parameters:
    ///   - tree: what was found; what is left out of the copy is taken out of it.
    ///   - source: the directory in which that was.
    ///   - target: the copy's directory, which is there.
    /// - Throws: if it is too late, or something cannot be copied. What was copied so far stays.
    mutating func apply(
        _ update: TreeUpdate, of tree: inout FileTree, from source: String, to target: String
    ) throws(IsolationError) {
        let input = try OpenDirectory(source)
        let output = try OpenDirectory(target)
        root = output.descriptor
        try apply(update, &tree, input.descriptor, output.descriptor, [])
    }

    /// - Parameter path: from the copy's root to here.
    private mutating func apply(
        _ update: TreeUpdate, _ tree: inout FileTree, _ input: Int32, _ output: Int32, _ path: FileTree.Name
    ) throws(IsolationError) {
        for name in update.removed { try Self.remove(name, in: output) }
        for (name, step) in update.children {
            try checkTime()
            guard var child = tree.children.removeValue(forKey: name) else { continue }
            let place = path.dropLast() + (path.isEmpty ? [] : [CChar(UInt8(ascii: "/"))]) + name
            let isThere =
                child.status.isDirectory
                ? try copyDirectory(step, name, &child, input, output, place)
                : try copyFile(name, child.status, input, output, place)
            if isThere {
                files += 1
                tree.children[name] = child
            } else {
                try Self.remove(name, in: output)
            }
        }
    }

    /// - Returns: whether it was still there.
    private mutating func copyDirectory(
        _ update: TreeUpdate, _ name: FileTree.Name, _ tree: inout FileTree, _ input: Int32, _ output: Int32,
        _ path: FileTree.Name
    ) throws(IsolationError) -> Bool {
        let source = openat(input, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard source >= 0 else { return try changed("open \(path.text)") }
        defer { close(source) }
        var info = stat()
        guard fstat(source, &info) == 0 else { throw .system("look at \(path.text)") }
        guard tree.status.isSameFile(FileStatus(info)) else { return try replaced(path) }
        // Not even their owner may change some directories; they get their mode in the end.
        let result =
            update.step == .make ? mkdirat(output, name, S_IRWXU) : fchmodat(output, name, S_IRWXU, 0)
        guard result == 0 else { throw .system("make the directory \(path.text)") }
        let target = openat(output, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard target >= 0 else { throw .system("open the copy of \(path.text)") }
        defer { close(target) }
        try apply(update, &tree, source, target, path)
        return try copyMetadata(Self.itself, source, target, path)
    }

    /// - Returns: whether it was still there.
    private mutating func copyFile(
        _ name: FileTree.Name, _ status: FileStatus, _ input: Int32, _ output: Int32, _ path: FileTree.Name
    ) throws(IsolationError) -> Bool {
        if let first = links[status.id] {
            if linkat(root, first, output, name, 0) == 0 { return true }
            return try changed("link \(path.text)")
        }
        switch status.kind {
        case S_IFREG:
            guard try copyBytes(name, status, input, output, path) else { return false }
        case S_IFLNK:
            var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            guard readlinkat(input, name, &text, text.count - 1) >= 0 else { return try changed("read \(path.text)") }
            guard symlinkat(text, output, name) == 0 else { throw .system("make the link \(path.text)") }
        default:
            guard mknodat(output, name, status.mode, status.device) == 0 else { throw .system("make \(path.text)") }
        }
        guard try copyMetadata(name, input, output, path, of: status) else { return false }
        if status.isShared { links[status.id] = path }
        return true
    }

    /// - Returns: whether it was still there.
    private mutating func copyBytes(
        _ name: FileTree.Name, _ status: FileStatus, _ input: Int32, _ output: Int32, _ path: FileTree.Name
    ) throws(IsolationError) -> Bool {
        // What is no file any more must not block.
        let source = openat(input, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard source >= 0 else { return try changed("open \(path.text)") }
        defer { close(source) }
        var info = stat()
        guard fstat(source, &info) == 0 else { throw .system("look at \(path.text)") }
        guard status.isSameFile(FileStatus(info)) else { return try replaced(path) }
        let target = openat(output, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw .system("make \(path.text)") }
        defer { close(target) }
        if info.st_size == 0 || vk_clone_file(source, target) == 0 { return true }
        filesInFull += 1
        var position: off_t = 0
        copying: while let data = Self.data(in: source, from: position) {
            position = data.lowerBound
            while position < data.upperBound {
                try checkTime()
                let length = min(Self.chunkBytes, data.upperBound - position)
                let count = vk_copy_range(source, target, position, length)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw .system("copy \(path.text)") }
                // It became shorter.
                guard count > 0 else { break copying }
                position += count
                bytesInFull += count
            }
        }
        // The hole at the end.
        guard ftruncate(target, max(position, info.st_size)) == 0 else { throw .system("copy \(path.text)") }
        return true
    }

    /// The next bytes that are not a hole. `nil`: none.
    private static func data(in file: Int32, from position: off_t) -> Range<off_t>? {
        // SEEK_DATA and SEEK_HOLE. On ext4 they also wait for whoever is writing there: see `FilePasses`.
        let start = lseek(file, position, 3)
        guard start >= 0 else { return nil }
        let end = lseek(file, start, 4)
        return end > start ? start..<end : nil
    }

    /// The order matters: a new owner takes set-user-ID bits and capabilities away, and any change the time.
    ///
    /// - Parameter status: which file it has to be; `nil`: the directory that `input` is.
    /// - Returns: whether it was still there.
    private func copyMetadata(
        _ name: FileTree.Name, _ input: Int32, _ output: Int32, _ path: FileTree.Name, of status: FileStatus? = nil
    ) throws(IsolationError) -> Bool {
        var info = stat()
        guard fstatat(input, name, &info, AT_SYMLINK_NOFOLLOW) == 0 else { return try changed("look at \(path.text)") }
        if let status, !status.isSameFile(FileStatus(info)) { return try replaced(path) }
        var times = [info.st_atim, info.st_mtim]
        guard fchownat(output, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) == 0,
            info.st_mode & S_IFMT == S_IFLNK || fchmodat(output, name, info.st_mode & 0o7777, 0) == 0,
            vk_copy_attributes(input, name, output, name) == 0,
            utimensat(output, name, &times, AT_SYMLINK_NOFOLLOW) == 0
        else { return try changed("copy owner, mode, attributes and times to \(path.text)") }
        return true
    }

    /// A call failed: because somebody is at work there, or there is something wrong.
    private func changed(_ what: String) throws(IsolationError) -> Bool {
        guard isChanging, Self.errorsOfChange.contains(errno) else { throw .system(what) }
        return false
    }

    private func replaced(_ path: FileTree.Name) throws(IsolationError) -> Bool {
        guard isChanging else {
            throw IsolationError("\(path.text) was replaced while it was copied: end whoever is at work there")
        }
        return false
    }

    private func checkTime() throws(IsolationError) {
        guard ContinuousClock.now < deadline else { throw Self.tooLate("\(files) were") }
    }

    static func tooLate(_ how: String) -> IsolationError {
        IsolationError("the files could not be copied in time, \(how): give it longer, or use btrfs or xfs")
    }

    private static let itself = [CChar(UInt8(ascii: ".")), 0]

    /// Removes a file or a directory with all that is in it; nothing there is no error.
    private static func remove(_ name: FileTree.Name, in directory: Int32) throws(IsolationError) {
        if unlinkat(directory, name, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR else { throw .system("remove \(name.text)") }
        fchmodat(directory, name, S_IRWXU, 0)
        let inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard inner >= 0 else { throw .system("open \(name.text)") }
        defer { close(inner) }
        for child in try FileTree.names(in: inner) { try remove(child, in: inner) }
        guard unlinkat(directory, name, AT_REMOVEDIR) == 0 else { throw .system("remove \(name.text)") }
    }
}
