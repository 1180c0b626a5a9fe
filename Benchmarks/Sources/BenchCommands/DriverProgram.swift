package import BenchFigures
import BenchPrograms
import Glibc

/// A program that measures one thing at a time and prints rows, run by run.
package final class DriverProgram {
    private let program: String
    /// What is before it on its command line: a sandbox, if it needs one.
    private let command: [String]
    /// For what it prints, and what else is kept while this process runs.
    package let directory: String
    private var runs = 0

    /// - Parameters:
    ///   - name: of the program.
    ///   - programs: the directory of VersionKit's programs, where it and all it uses are.
    ///   - needs: programs that it uses.
    ///   - sandbox: the script within which it runs.
    /// - Throws: `BenchError` if a program is missing.
    package init(_ name: String, in programs: String, needs: [String], builtBy script: String, sandbox: String) throws {
        for program in [name] + needs where !File.isProgram("\(programs)/\(program)") {
            throw BenchError("\(programs)/\(program) is missing: \(script) builds it")
        }
        program = name
        command = [sandbox, "\(programs)/\(name)"]
        directory = "/tmp/\(name)-\(getpid())"
        try File.makeFolder(directory)
        Children.remember(directory: directory)
    }

    /// Runs it once.
    ///
    /// - Parameter limit: how long it may take, in seconds.
    /// - Throws: `BenchError` with what it complains of.
    package func rows(of words: [String], limit: Double) throws -> [DriverRow] {
        runs += 1
        let child = try Children.start(
            program, command[0], Array(command.dropFirst()) + words, log: "\(directory)/\(runs).log")
        let code = try Children.wait(for: child, seconds: limit)
        let rows = child.output.split(whereSeparator: \.isNewline).compactMap { DriverRow(line: $0) }
        guard code == 0, !rows.isEmpty else {
            // What it says of itself comes first; what it quotes, behind that.
            let reason = child.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(program): ") }
            throw BenchError(reason.map(String.init) ?? "\(program) ended with \(code): \(child.lastWords)")
        }
        return rows
    }
}
