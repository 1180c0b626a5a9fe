public import CFSModel

/// A file that a path leads to.
public struct FoundFile: Hashable, Sendable {
    /// Its handle.
    public var handle: ChordID
    /// Its inode.
    public var inode: Inode
    /// Where it is, without links and dots.
    public var path: TreePath

    /// A file whose inode is at hand.
    public init(handle: ChordID, inode: Inode, path: TreePath) {
        self.handle = handle
        self.inode = inode
        self.path = path
    }
}

/// Paths.
extension FileSystem {
    /// Follows a path from the root: names between slashes, `.` and `..`, and symbolic links, absolute ones from the root of
    /// this file system. Above the root is the root, and so is an empty path. A slash at the end asks for a directory.
    ///
    /// - Parameter followsLast: Whether a link at the end of the path is followed, too.
    /// - Throws: ``FileSystemError``, and whatever the source throws.
    public func walk(_ path: some Collection<UInt8>, followsLast: Bool = true) async throws -> FoundFile {
        guard path.count <= CFSFileLimits.pathBytes else { throw FileSystemError(.badPath) }
        var walk = Walk(root: FoundFile(handle: root, inode: try await inode(root), path: .root))
        try walk.push(Array(path))
        while let name = walk.pending.popLast() {
            let here = walk.here
            guard here.inode.isDirectory else { throw FileSystemError(.notDirectory, block: here.handle) }
            if name == .itself { continue }
            if name == .parent {
                walk.ascend()
                continue
            }
            let entries = try await directory(here.inode, here.handle)
            guard let handle = entries[name]?.inode else { throw FileSystemError(.noEntry(name), block: here.handle) }
            let inode = try await inode(handle)
            if case .link(let target) = inode.contents, followsLast || !walk.pending.isEmpty || walk.needsDirectory {
                try walk.follow(target)
                continue
            }
            try walk.descend(FoundFile(handle: handle, inode: inode, path: here.path.appending(name)))
        }
        if walk.needsDirectory, !walk.here.inode.isDirectory {
            throw FileSystemError(.notDirectory, block: walk.here.handle)
        }
        return walk.here
    }

    /// Follows a path from the root.
    public func walk(_ path: String, followsLast: Bool = true) async throws -> FoundFile {
        try await walk(Array(path.utf8), followsLast: followsLast)
    }
}

/// Where a path has led so far, and what is left of it. Bounded: by the depth of directories, the number of links, and the
/// length of what one of them adds.
private struct Walk {
    /// The directories from the root down to here.
    private var trail: [FoundFile]
    private var linkCount = 0

    /// The names that are left, the next one last.
    var pending: [FileName] = []
    /// Whether the path ends with a slash.
    var needsDirectory = false

    init(root: FoundFile) { trail = [root] }

    var here: FoundFile { trail[trail.count - 1] }

    mutating func ascend() {
        if trail.count > 1 { trail.removeLast() }
    }

    mutating func descend(_ file: FoundFile) throws(FileSystemError) {
        guard trail.count <= CFSFileLimits.depth else { throw FileSystemError(.tooDeep(max: CFSFileLimits.depth)) }
        trail.append(file)
    }

    mutating func follow(_ target: [UInt8]) throws(FileSystemError) {
        linkCount += 1
        guard linkCount <= CFSFileLimits.links else {
            throw FileSystemError(.tooManyLinks(max: CFSFileLimits.links))
        }
        guard let first = target.first else { throw FileSystemError(.badPath) }
        if first == UInt8(ascii: "/") { trail.removeSubrange(1...) }
        try push(target)
    }

    /// Goes on with this path before what is left.
    mutating func push(_ path: [UInt8]) throws(FileSystemError) {
        var names: [FileName] = []
        for part in path.split(separator: UInt8(ascii: "/")) {
            guard let name = FileName(part) else { throw FileSystemError(.badPath) }
            names.append(name)
        }
        if pending.isEmpty, path.last == UInt8(ascii: "/") { needsDirectory = true }
        pending.append(contentsOf: names.reversed())
    }
}
