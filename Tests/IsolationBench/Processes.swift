import Foundation

/// The processes of the sandbox, of which every one can be seen.
enum Processes {
    static func all() throws -> Set<Int> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int($0) })
    }

    /// The bytes of memory of a process, its share of what it shares with others included; 0 if it has gone.
    static func memory(of process: Int) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}
