import FoundationEssentials
import Glibc
import IrisLogFleet
import VersionKitProcesses

/// What /proc says of processes.
enum ProcessFiles {
    /// The children of a process that have not ended. `/proc/…/children` would miss some while others end (proc(5)).
    static func children(of process: Int32) -> Set<Int32> {
        Set(ProcessStatus.all().filter { $0.parent == process && !$0.isZombie }.map(\.pid))
    }

    /// Whether a process was stopped by a signal, and not told to go on yet.
    static func isStopped(_ process: Int32) -> Bool {
        // The state follows the name, in which there may be parentheses.
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return status?.split(separator: ")").last?.hasPrefix(" T") == true
    }

    /// The name of what a process executes, as far as the kernel keeps it: 15 characters.
    static func program(of process: Int32) -> String? {
        (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)).map { String($0.dropLast()) }
    }

    /// The first processes of a node's environments, from the files in which it keeps their numbers.
    static func agents(state: String) -> Set<Int32> {
        let directory = "\(state)/environments/namespaces"
        return Set(
            names(directory).compactMap { name in
                let text = try? String(contentsOfFile: "\(directory)/\(name)/pid", encoding: .utf8)
                return text?.split(separator: " ").first.flatMap { Int32($0) }
            })
    }

    /// What the agent of a version's environment has started.
    static func version(_ version: Int, on node: FleetNode) -> Set<Int32> {
        let file = "\(node.directory)/state/environments/namespaces/irislog-\(version)/pid"
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let agent = text.split(separator: " ").first.flatMap({ Int32($0) })
        else { return [] }
        return children(of: agent)
    }

    /// What is in a directory.
    static func names(_ directory: String) -> [String] {
        guard let entries = opendir(directory) else { return [] }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { !$0.hasPrefix(".") }
    }
}
