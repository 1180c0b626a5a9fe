/// The most that an environment may use. `nil`: as much as there is.
public struct ResourceLimits: Sendable, Hashable, Codable {
    /// Memory in bytes, page cache included.
    public var memoryBytes: UInt64?
    /// Processors, 1.5 for one and a half.
    public var processors: Double?
    /// Processes and threads.
    public var tasks: Int?
    /// What it writes, in bytes.
    public var diskBytes: UInt64?

    /// Limits.
    public init(
        memoryBytes: UInt64? = nil, processors: Double? = nil, tasks: Int? = nil, diskBytes: UInt64? = nil
    ) {
        self.memoryBytes = memoryBytes
        self.processors = processors
        self.tasks = tasks
        self.diskBytes = diskBytes
    }

    /// What keeps to both: of each pair the smaller one, and where only one is set, that one.
    ///
    /// A publisher knows what a version needs, an operator what a node has: neither can raise what the other set.
    public func stricter(_ other: ResourceLimits?) -> ResourceLimits {
        guard let other else { return self }
        func smaller<Value: Comparable>(_ one: Value?, _ two: Value?) -> Value? { [one, two].compactMap(\.self).min() }
        return ResourceLimits(
            memoryBytes: smaller(memoryBytes, other.memoryBytes), processors: smaller(processors, other.processors),
            tasks: smaller(tasks, other.tasks), diskBytes: smaller(diskBytes, other.diskBytes))
    }
}

extension ResourceLimits: CustomStringConvertible {
    /// The limits that are set: `memory 536870912 bytes, 1.5 processors`; `none` if there is none.
    public var description: String {
        let words = [
            memoryBytes.map { "memory \($0) bytes" }, processors.map { "\($0) processors" },
            tasks.map { "\($0) tasks" },
            diskBytes.map { "disk \($0) bytes" },
        ].compactMap(\.self)
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }
}

extension ReleaseManifest {
    func validateLimits() throws(ManifestError) {
        guard let limits else { return }
        for (field, bytes) in [("limits.memoryBytes", limits.memoryBytes), ("limits.diskBytes", limits.diskBytes)] {
            guard let bytes, !(1...Limits.needsBytesMax).contains(bytes) else { continue }
            throw ManifestError(
                .outOfBounds, field, "\(bytes) bytes", remedy: "use 1 to \(Limits.needsBytesMax) bytes")
        }
        if let processors = limits.processors, !(Limits.processorsMin...Limits.processorsMax).contains(processors) {
            throw ManifestError(
                .outOfBounds, "limits.processors", "\(processors) processors",
                remedy: "use \(Limits.processorsMin) to \(Limits.processorsMax) processors")
        }
        if let tasks = limits.tasks {
            try Self.check(tasks, field: "limits.tasks", unit: "tasks", in: 1...Limits.tasksMax)
        }
        if let most = limits.memoryBytes, let needed = needs?.memoryBytes, needed > most {
            throw ManifestError(
                .conflict, "limits.memoryBytes", "\(most) bytes are fewer than the \(needed) that it needs",
                remedy: "raise limits.memoryBytes, or lower needs.memoryBytes")
        }
    }
}
