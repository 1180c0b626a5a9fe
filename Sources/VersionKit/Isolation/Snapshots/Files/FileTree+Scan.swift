import Glibc

extension FileTree {
    /// Directories within directories that are looked into: each holds descriptors while it is.
    static let depthMax = 256

    /// How long it may take to find out how large a tree is.
    private static let sizeLimit = Duration.seconds(60)

    /// The bytes that a directory takes on the disk, shared ones included; 0 if it cannot be read. Blocks.
    static func bytes(of path: String) -> UInt64 { (try? scan(path, deadline: .now + sizeLimit))?.totalBytes ?? 0 }

    /// Lists a directory; blocks. What is not there any more when it is looked at is not in it.
    ///
    /// - Parameters:
    ///   - names: what is listed of what is in it; `nil`: everything.
    ///   - deadline: after which it is given up.
    static func scan(
        _ path: String, _ names: [String]? = nil, deadline: ContinuousClock.Instant
    ) throws(IsolationError) -> FileTree {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the directory \(path)") }
        return try scan(descriptor, names?.map { Array($0.utf8CString) }, depth: 0, deadline, path)
    }

    /// - Parameter directory: a directory's descriptor, which is closed.
    private static func scan(
        _ directory: Int32, _ names: [Name]?, depth: Int, _ deadline: ContinuousClock.Instant, _ path: String
    ) throws(IsolationError) -> FileTree {
        defer { close(directory) }
        guard depth < depthMax else {
            throw IsolationError("\(path) has directories \(depthMax) deep, more than are copied: make them fewer")
        }
        guard ContinuousClock.now < deadline else { throw TreeCopy.tooLate("not even looked at") }
        guard var tree = look(directory, [CChar(UInt8(ascii: ".")), 0]) else { throw .system("look at \(path)") }
        let all = if let names { names } else { try self.names(in: directory) }
        for name in all {
            guard var child = look(directory, name) else {
                // It was removed meanwhile.
                if errno == ENOENT { continue }
                throw .system("look at \(name.text) in \(path)")
            }
            if child.status.isDirectory {
                let inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                if inner < 0, errno == ENOENT || errno == ENOTDIR { continue }
                guard inner >= 0 else { throw .system("open the directory \(name.text) in \(path)") }
                child = try scan(inner, nil, depth: depth + 1, deadline, path)
            }
            tree.children[name] = child
        }
        return tree
    }

    private static func look(_ directory: Int32, _ name: Name) -> FileTree? {
        var info = stat()
        guard fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        // Blocks are of 512 bytes, whatever the file system's own.
        return FileTree(status: FileStatus(info), bytes: UInt64(info.st_blocks) * 512)
    }

    /// The names in a directory, without `.` and `..`.
    static func names(in directory: Int32) throws(IsolationError) -> [Name] {
        // A descriptor of its own: this one is closed with the list.
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let list = fdopendir(copy) else { throw .system("list a directory") }
        defer { closedir(list) }
        var names: [Name] = []
        let dot = CChar(UInt8(ascii: "."))
        errno = 0
        while let entry = readdir(list) {
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
            let name = Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1))
            if name != [dot, 0], name != [dot, dot, 0] { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .system("list a directory") }
        return names
    }
}

extension [CChar] {
    /// The name, to be shown.
    var text: String { String(decoding: dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
}
