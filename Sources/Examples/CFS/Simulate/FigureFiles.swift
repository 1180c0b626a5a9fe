import ArgumentParser
import CFSSimulation
import Foundation

/// Where a figure's numbers and its picture go.
struct FigureFiles: ParsableArguments {
    @Option(help: "File for the numbers, with commas in between.") var csv: String?
    @Option(help: "File for the picture.") var svg: String?

    /// Writes what was asked for.
    func write(header: String, rows: [String], chart: LineChart) throws {
        if let csv { try Data(([header] + rows).map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: csv)) }
        if let svg { try Data(chart.svg.utf8).write(to: URL(filePath: svg)) }
    }
}
