import CLinux
import Glibc
import VersionKitProcesses

/// The read-only disk images of a node, each made once for all who need the same. Users have links to the file: an image
/// with no other link than this store's is wanted by nobody.
struct DiskImages: Sendable {
    private static let unfinished = "new-"

    /// Where they are, on the file system of those who use them.
    let directory: String

    /// Makes an image unless it is there, and links it.
    func link(_ recipe: DiskRecipe, at path: String) async throws(IsolationError) {
        for directory in recipe.directories where access(directory, F_OK) != 0 {
            throw .system("find the layer \(directory)")
        }
        let image = "\(directory)/\(try await recipe.name())"
        try make(directory)
        // Somebody may just be removing it because nobody had it.
        for _ in 0..<3 {
            if Glibc.link(image, path) == 0 { return }
            guard errno == ENOENT else { throw .system("link \(image) to \(path)") }
            try await build(recipe, at: image)
        }
        throw IsolationError("\(image) was removed again and again while it was needed")
    }

    /// Removes what nobody uses, and what was left when a process ended in the middle of its work.
    func sweep() async throws(IsolationError) {
        for name in try namesOfFiles(in: directory) {
            let path = "\(directory)/\(name)"
            if name.hasPrefix(Self.unfinished) {
                let owner = name.dropFirst(Self.unfinished.count).prefix { $0 != "-" }
                if access("/proc/\(owner)", F_OK) != 0 { try await removeTree(path) }
                continue
            }
            var status = stat()
            if stat(path, &status) == 0, status.st_nlink == 1 { unlink(path) }
        }
    }

    private func build(_ recipe: DiskRecipe, at path: String) async throws(IsolationError) {
        var template = Array("\(directory)/\(Self.unfinished)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("make a directory in \(directory)") }
        let place = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let result: Result<Void, IsolationError>
        do throws(IsolationError) {
            result = .success(try await build(recipe, at: path, in: place))
        } catch {
            result = .failure(error)
        }
        try await removeTree(place)
        try result.get()
    }

    private func build(_ recipe: DiskRecipe, at path: String, in place: String) async throws(IsolationError) {
        let (own, tree, image) = (place + "/own", place + "/tree", place + "/image")
        for directory in [own, tree] { try make(directory) }
        for name in recipe.emptyDirectories { try make(own + name) }
        for (name, target) in recipe.links {
            guard symlink(target, own + name) == 0 else { throw .system("make the link \(own + name)") }
        }
        for (name, source) in recipe.files {
            let path = own + name
            try make(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
            try await execute("cp", ["--reflink=auto", source, path])
        }
        // Another mount namespace, which takes the mount along when it goes.
        let namespaces = geteuid() == 0 ? ["--mount"] : ["--mount", "--user", "--map-root-user"]
        try await execute(
            "unshare",
            namespaces + ["sh", "-ec", Self.script, "sh", own, tree, image, "\(recipe.spareBytes >> 10)"]
                + recipe.directories)
        guard chmod(image, 0o444) == 0 else { throw .system("protect \(image)") }
        // Whoever was faster has made the same.
        guard Glibc.link(image, path) == 0 || errno == EEXIST else { throw .system("keep \(path)") }
    }

    /// Arguments: what the image has beside the layers, a place to mount, the image, its free space in KiB, and layers,
    /// the topmost first. Of what is 0 nothing is written, so that it takes no space.
    private static let script = """
        own=$1 tree=$2 image=$3 spare=$4
        shift 4
        layers=
        for layer; do layers=$layers$layer:; done
        if [ $# -gt 0 ]; then mount -t overlay -o "lowerdir=$layers$own,userxattr" overlay "$tree"; else tree=$own; fi
        bytes=$(du -sk --apparent-size "$tree" | cut -f 1)
        files=$(find "$tree" | wc -l)
        mke2fs -q -F -t ext4 -b 4096 -m 0 -J size=8 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -d "$tree" \
            "$image" "$((bytes + 4 * files + (bytes >> 3) + 16384 + spare))k"
        """
}
