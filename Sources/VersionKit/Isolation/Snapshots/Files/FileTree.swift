import Glibc

/// A file, or a directory with all that is in it, as it was found: names and status, no bytes.
struct FileTree: Equatable {
    /// A name as the system calls take it: bytes, the last of which is zero.
    typealias Name = [CChar]

    var status: FileStatus
    /// What it takes on the disk, in bytes.
    var bytes: UInt64 = 0
    var children: [Name: FileTree] = [:]

    /// Visits all that is in it, itself first.
    func forEach(_ body: (FileTree) -> Void) {
        body(self)
        for child in children.values { child.forEach(body) }
    }

    /// The bytes that it takes on the disk, those of a file with several names once.
    var totalBytes: UInt64 {
        var seen: Set<FileID> = []
        var sum: UInt64 = 0
        forEach { if !$0.status.isShared || seen.insert($0.status.id).inserted { sum += $0.bytes } }
        return sum
    }
}

/// What makes a copy of one tree a copy of another: decided by the two listings alone.
struct TreeUpdate: Equatable {
    /// What is done about a file or directory itself.
    enum Step: Equatable {
        /// It is made.
        case make
        /// It is a directory that is there: owner, mode, times and attributes are copied, after what is in it.
        case renew
    }

    var step: Step
    /// What is removed from the copy's directory, before anything else.
    var removed: [FileTree.Name] = []
    /// What is done in it. What is not named stays as it is.
    var children: [FileTree.Name: TreeUpdate] = [:]
}

extension TreeUpdate {
    /// Decides what to do. `nil`: nothing.
    ///
    /// - Parameters:
    ///   - older: what the copy was made of; `nil`: there is none.
    ///   - newer: what it is to be a copy of.
    ///   - rule: by what files that did not change are told.
    init?(from older: FileTree?, to newer: FileTree, _ rule: SteadyFiles?) {
        guard let older, let rule else {
            self.init(making: newer)
            return
        }
        var unsteady: Set<FileID> = []
        Self.findUnsteadyLinks(older, newer, rule, &unsteady)
        self.init(older, newer, rule, unsteady)
    }

    private init(making tree: FileTree) {
        self.init(step: .make, children: tree.children.mapValues(TreeUpdate.init(making:)))
    }

    private init?(_ older: FileTree, _ newer: FileTree, _ rule: SteadyFiles, _ unsteady: Set<FileID>) {
        guard older.status.isDirectory, newer.status.isDirectory else {
            if !newer.status.isDirectory, rule.isSteady(older.status, newer.status),
                !unsteady.contains(newer.status.id)
            {
                return nil
            }
            self.init(making: newer)
            return
        }
        self.init(step: .renew)
        for (name, child) in newer.children {
            guard let former = older.children[name] else {
                children[name] = TreeUpdate(making: child)
                continue
            }
            guard let update = TreeUpdate(former, child, rule, unsteady) else { continue }
            children[name] = update
            if update.step == .make { removed.append(name) }
        }
        removed += older.children.keys.filter { newer.children[$0] == nil }
        if children.isEmpty, removed.isEmpty, rule.isSteady(older.status, newer.status) { return nil }
    }

    /// A file with several names is made anew under all of them if anything is new with one of them.
    private static func findUnsteadyLinks(
        _ older: FileTree?, _ newer: FileTree?, _ rule: SteadyFiles, _ found: inout Set<FileID>
    ) {
        for status in [older?.status, newer?.status].compactMap(\.self) where status.isShared {
            if let older, let newer, rule.isSteady(older.status, newer.status) { continue }
            found.insert(status.id)
        }
        for (name, child) in newer?.children ?? [:] {
            findUnsteadyLinks(older?.children[name], child, rule, &found)
        }
        for (name, child) in older?.children ?? [:] where newer?.children[name] == nil {
            findUnsteadyLinks(child, nil, rule, &found)
        }
    }
}
