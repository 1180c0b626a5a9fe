import Foundation
package import Glibc

/// A program that this one started and ends.
package struct Child: Sendable {
    package let name: String
    package let id: pid_t
    /// Where all that it prints goes.
    package let log: String

    /// One that runs already.
    package init(name: String, id: pid_t, log: String) {
        self.name = name
        self.id = id
        self.log = log
    }

    /// The end of what it printed, for complaints.
    package var lastWords: String {
        let lines = output.split(whereSeparator: \.isNewline)
        return lines.suffix(5).joined(separator: "\n  ")
    }

    /// All that it printed.
    package var output: String { String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self) }

    /// The time that processors have spent on it, in seconds, to a hundredth.
    package func processorSeconds() throws -> Double {
        // What follows the name, which may have anything in it.
        let text = File.text("/proc/\(id)/stat")
        let words = text.split(separator: ")").last?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count > 12, let user = Double(words[11]), let system = Double(words[12]) else {
            throw BenchError("/proc/\(id)/stat does not tell the time of \(name)")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Its resident memory in bytes.
    package func residentMemory() throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let words = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?.split(
            whereSeparator: \.isWhitespace)
        guard let words, words.count > 1, let kilobytes = Double(words[1]) else {
            throw BenchError("/proc/\(id)/status does not tell the memory of \(name)")
        }
        return kilobytes * 1024
    }
}
