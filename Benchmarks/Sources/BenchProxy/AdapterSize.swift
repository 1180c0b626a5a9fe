import BenchFigures
import BenchPrograms
import Foundation

/// Measure 6: what somebody has to write for an application to be upgraded.
enum AdapterSize {
    private static let irisLog = ["IrisLogAdapter.swift", "IrisLogMigrator.swift", "IrisLogMessages.swift"]

    static func run(_ bench: Bench) throws {
        let folder = "\(bench.root)/Sources/Adapters"
        count(bench, "Redis", try sources("\(folder)/Redis"))
        count(bench, "IrisLog", irisLog.map { "\(folder)/IrisLog/\($0)" })
        count(bench, "Memcached", try sources("\(folder)/Memcached"))
    }

    /// What a program wrote is told apart: nobody has to write it.
    private static func count(_ bench: Bench, _ adapter: String, _ files: [String]) {
        var lines = 0
        var generated = 0
        for file in files {
            let text = File.text(file)
            if CodeLines.isGenerated(text) {
                generated += CodeLines.count(text)
            } else {
                lines += CodeLines.count(text)
            }
        }
        bench.observe("adapter-lines", adapter, round: 0, Double(lines), "lines")
        if generated > 0 { bench.observe("adapter-lines-generated", adapter, round: 0, Double(generated), "lines") }
    }

    private static func sources(_ folder: String) throws -> [String] {
        guard let names = FileManager.default.enumerator(atPath: folder) else {
            throw BenchError("\(folder) is not there")
        }
        let files = names.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
        guard !files.isEmpty else { throw BenchError("there is no Swift source in \(folder)") }
        return files.map { "\(folder)/\($0)" }
    }
}
