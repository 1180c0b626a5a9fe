import Glibc

/// What the kernel tells about a process in `/proc/PID/stat`.
package struct ProcessStatus: Sendable, Hashable {
    /// Its number, and its parent's.
    package var pid: Int32
    package var parent: Int32
    /// Whether it has ended and only waits for its parent to hear of it.
    package var isZombie: Bool
    /// Whether it was stopped, by a signal or a debugger.
    package var isStopped: Bool
    /// Whether it is the kernel's own.
    package var isKernelThread: Bool
    /// Processor time, that of children it has waited for included, in ticks.
    package var ticks: Int
    /// Its threads.
    package var threads: Int
    /// The memory it has in use, in pages.
    package var pages: Int

    /// The kernel's `PF_KTHREAD`, among the flags.
    private static let kernelThread: UInt32 = 0x20_0000

    /// Reads the file's text; `nil` if that is something else.
    package init?(parsing text: String) {
        // The name, in brackets, may contain anything, brackets too.
        guard let open = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), open < end,
            let pid = Int32(text[..<open].split(separator: " ").first ?? "")
        else { return nil }
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 21, let parent = Int32(fields[1]), let threads = Int(fields[17]),
            let pages = Int(fields[21])
        else { return nil }
        self.pid = pid
        self.parent = parent
        isZombie = fields[0] == "Z" || fields[0] == "X"
        isKernelThread = (UInt32(fields[6]) ?? 0) & Self.kernelThread != 0
        isStopped = fields[0] == "T" || fields[0] == "t"
        ticks = fields[11...14].reduce(0) { $0 + (Int($1) ?? 0) }
        self.threads = threads
        self.pages = pages
    }

    /// A process's; `nil` if there is none with this number.
    package init?(of pid: Int32) {
        guard let text = Self.read("/proc/\(pid)/stat") else { return nil }
        self.init(parsing: text)
    }

    /// All processes that can be seen from here, or all threads of a process: those that a directory of `/proc` has. One that
    /// begins or ends meanwhile may be missing.
    package static func all(in path: String = "/proc") -> [ProcessStatus] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var found: [ProcessStatus] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if Int32(name) != nil, let text = read("\(path)/\(name)/stat"), let status = ProcessStatus(parsing: text) {
                found.append(status)
            }
        }
        return found
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

extension [ProcessStatus] {
    /// Those that descend from a process, which is not among them.
    package func descendants(of root: Int32) -> [ProcessStatus] {
        let children = Dictionary(grouping: self, by: \.parent)
        var found: [Int32: ProcessStatus] = [:]
        var next = [root]
        while let parent = next.popLast() {
            // Not all were read at one moment: a number that was used twice could make a process its own ancestor.
            for child in children[parent] ?? [] where child.pid != root && found[child.pid] == nil {
                found[child.pid] = child
                next.append(child.pid)
            }
        }
        return Array(found.values)
    }
}
