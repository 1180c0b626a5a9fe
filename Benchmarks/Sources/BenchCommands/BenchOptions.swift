package import ArgumentParser
package import BenchFigures
import BenchPrograms
import Foundation

/// What can be said to every benchmark on its command line.
package struct BenchOptions: ParsableArguments {
    /// The most rounds, unless a benchmark says otherwise.
    package static let roundsMax = 50

    @Option(help: "How often everything is measured, if not as often as above.")
    package var rounds: Int?

    @Option(help: "Only these measures, as in 1,3.")
    package var only: String?

    @Flag(help: "Small counts: shows that everything works, proves nothing.")
    package var quick = false

    @Flag(help: "Print the result as JSON.")
    package var json = false

    @Option(help: "The root of the repository.")
    package var root = "."

    package init() {}

    /// Refuses what no benchmark does.
    package func check(measures: Int, roundsMax: Int = roundsMax) throws {
        guard (1...roundsMax).contains(rounds ?? 1) else { throw ValidationError("--rounds takes 1 to \(roundsMax).") }
        _ = try chosen(of: measures)
    }

    /// How often everything is measured.
    package func rounds(byDefault: Int) -> Int { rounds ?? (quick ? 1 : byDefault) }

    /// The numbers of the measures that are wanted, of so many that there are.
    package func chosen(of measures: Int) throws -> Set<Int> {
        guard let chosen = MeasureList.chosen(only, of: measures) else {
            throw ValidationError("--only takes numbers from 1 to \(measures), as in 1,3; not '\(only ?? "")'.")
        }
        return chosen
    }

    /// A path below the root of the repository, unless it says where it begins.
    package func path(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: root).appendingPathComponent(path).path
    }

    /// The path of a file of results, in a folder that is there.
    package func result(_ name: String) throws -> String {
        try File.makeFolder(path("Benchmarks/results"))
        return path("Benchmarks/results/\(name)")
    }

    /// Prints the result, with more tables behind the medians; as JSON, with the last line to stderr.
    package func show(_ report: Report, tables: [String] = []) throws {
        guard json else {
            return print(
                ([report.medianTable] + tables + [report.goalTable, report.verdict]).joined(separator: "\n\n"))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
        Console.say(report.verdict)
    }
}
