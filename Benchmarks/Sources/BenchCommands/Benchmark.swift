package import ArgumentParser
import BenchPrograms
import Glibc

/// The command of a benchmark: ends all programs that it started, however it ends itself.
package protocol Benchmark: ParsableCommand {
    /// What was said on the command line.
    var options: BenchOptions { get }

    /// Measures and prints.
    ///
    /// - Returns: the exit status.
    func measure() throws -> Int32
}

extension Benchmark {
    package func run() throws { measureAndEnd() }

    /// Measures, and ends this process.
    package func measureAndEnd() -> Never {
        Interruption.watch()
        do {
            Children.exitAll(try measure())
        } catch {
            Console.say("\(Self.configuration.commandName ?? ""): \(error)")
            Children.exitAll(EX_UNAVAILABLE)
        }
    }
}
