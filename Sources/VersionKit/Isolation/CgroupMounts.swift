import VersionKitModel

/// What a control group can limit.
enum CgroupController: String, Sendable, Hashable, CaseIterable {
    case memory, pids, cpu
}

/// Where a machine has its control groups, of version 1, of version 2, or some of either.
struct CgroupMounts: Sendable, Hashable {
    /// A tree of groups.
    struct Hierarchy: Sendable, Hashable {
        var path: String
        var isUnified: Bool
    }

    /// Who limits what.
    private(set) var hierarchies: [CgroupController: Hierarchy] = [:]
    /// Where all trees are mounted, also those that limit nothing: container runtimes make groups in each.
    private(set) var paths: [String] = []
    /// The tree of version 2, whether it limits anything or not.
    private(set) var unified: Hierarchy?

    /// - Parameters:
    ///   - mounts: the text of `/proc/self/mounts`.
    ///   - unifiedControllers: the text of a version 2 hierarchy's `cgroup.controllers`.
    init(mounts: String, unifiedControllers: (_ path: String) -> String) {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count > 3 else { continue }
            let isUnified = fields[2] == "cgroup2"
            guard isUnified || fields[2] == "cgroup" else { continue }
            paths.append(fields[1])
            if isUnified { unified = Hierarchy(path: fields[1], isUnified: true) }
            let names =
                isUnified
                ? unifiedControllers(fields[1]).split(whereSeparator: \.isWhitespace) : fields[3].split(separator: ",")
            for controller in names.compactMap({ CgroupController(rawValue: String($0)) }) {
                hierarchies[controller] = Hierarchy(path: fields[1], isUnified: isUnified)
            }
        }
    }

    /// The trees in which a group needs a directory, for whatever it limits: all of them, as what it does not limit it can
    /// still count.
    var trees: [Hierarchy] { Set(hierarchies.values).sorted { $0.path < $1.path } }

    /// What is to be written to hold limits.
    ///
    /// - Throws: if nobody on this machine can hold one of them.
    func settings(_ limits: ResourceLimits) throws(IsolationError) -> [CgroupSetting] {
        var settings: [CgroupSetting] = []
        if let bytes = limits.memoryBytes {
            let (path, isUnified) = try hierarchy(.memory, "memory")
            settings.append(CgroupSetting(path, isUnified ? "memory.max" : "memory.limit_in_bytes", "\(bytes)"))
            // Where swap is not counted there is no such file.
            settings.append(
                isUnified
                    ? CgroupSetting(path, "memory.swap.max", "0", isOptional: true)
                    : CgroupSetting(path, "memory.memsw.limit_in_bytes", "\(bytes)", isOptional: true))
        }
        if let tasks = limits.tasks {
            settings.append(CgroupSetting(try hierarchy(.pids, "tasks").path, "pids.max", "\(tasks)"))
        }
        if let processors = limits.processors {
            let (path, isUnified) = try hierarchy(.cpu, "processors")
            let quota = max(1000, Int(processors * Double(Self.periodMicroseconds)))
            settings +=
                isUnified
                ? [CgroupSetting(path, "cpu.max", "\(quota) \(Self.periodMicroseconds)")]
                : [
                    CgroupSetting(path, "cpu.cfs_period_us", "\(Self.periodMicroseconds)"),
                    CgroupSetting(path, "cpu.cfs_quota_us", "\(quota)"),
                ]
        }
        return settings
    }

    /// Over what time a share of processors is measured: the kernel's own default.
    private static let periodMicroseconds = 100_000

    private func hierarchy(
        _ controller: CgroupController, _ what: String
    ) throws(IsolationError) -> (path: String, isUnified: Bool) {
        guard let hierarchy = hierarchies[controller] else {
            throw IsolationError(
                "limits of \(what) cannot be held: this machine has no control groups for them; mount them, or leave the "
                    + "limit out")
        }
        return (hierarchy.path, hierarchy.isUnified)
    }
}

/// What is written to a file of a control group.
struct CgroupSetting: Sendable, Hashable {
    /// The tree that the group is in.
    var hierarchy: String
    var file: String
    var value: String
    /// Whether the file need not be there.
    var isOptional: Bool

    init(_ hierarchy: String, _ file: String, _ value: String, isOptional: Bool = false) {
        self.hierarchy = hierarchy
        self.file = file
        self.value = value
        self.isOptional = isOptional
    }
}
