import FoundationEssentials
import Glibc
import IrisLogFleet
import VersionKitModel
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

    /// The first processes of a node's environments that run, from the files in which it keeps their numbers, and when they
    /// began: a number may be another process's by now.
    static func agents(state: String) -> Set<Int32> {
        let directory = "\(state)/environments/namespaces"
        return Set(
            names(directory).compactMap { name in
                let text = try? String(contentsOfFile: "\(directory)/\(name)/pid", encoding: .utf8)
                let words = text?.split(separator: " ") ?? []
                guard words.count == 2, let pid = Int32(words[0]), beginning(of: pid) == words[1] else { return nil }
                return pid
            })
    }

    /// When a process began, as the kernel has it.
    private static func beginning(of process: Int32) -> Substring? {
        // The name, in parentheses, may contain any.
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let fields = status?.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 19 ? fields[19] : nil
    }

    /// Whether a process has a TCP connection to this place.
    static func isConnected(_ process: Int32, to endpoint: Endpoint) -> Bool {
        let bytes = endpoint.address.description.split(separator: ".").compactMap { UInt8($0) }
        guard bytes.count == 4 else { return false }
        func digits(_ number: UInt16, _ width: Int) -> String {
            let text = String(number, radix: 16, uppercase: true)
            return String(repeating: "0", count: width - text.count) + text
        }
        // As the kernel has it: the address as one number in the order of the machine (proc_pid_net(5)).
        let address: String = bytes.reversed().map { digits(UInt16($0), 2) }.joined()
        let place = "\(address):\(digits(endpoint.port, 4))"
        let table = (try? String(contentsOfFile: "/proc/\(process)/net/tcp", encoding: .utf8)) ?? ""
        var sockets: Set<String> = []
        for line in table.split(separator: "\n") {
            let columns = line.split(separator: " ").map(String.init)
            guard columns.count > 9, columns[2] == place, columns[3] == "01" else { continue }
            sockets.insert("socket:[\(columns[9])]")
        }
        return names("/proc/\(process)/fd").contains { name in
            var buffer = [CChar](repeating: 0, count: 64)
            guard readlink("/proc/\(process)/fd/\(name)", &buffer, buffer.count - 1) > 0 else { return false }
            return sockets.contains(
                String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
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
