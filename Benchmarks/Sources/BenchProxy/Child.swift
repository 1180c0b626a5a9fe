import Foundation
import Glibc

/// A program that this one started and ends.
struct Child: Sendable {
    let name: String
    let id: pid_t
    /// Where all that it prints goes.
    let log: String

    /// The end of what it printed, for complaints.
    var lastWords: String {
        let lines = output.split(whereSeparator: \.isNewline)
        return lines.suffix(5).joined(separator: "\n  ")
    }

    /// All that it printed.
    var output: String { String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self) }

    /// Its resident memory in bytes.
    func residentMemory() throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let words = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?.split(
            whereSeparator: \.isWhitespace)
        guard let words, words.count > 1, let kilobytes = Double(words[1]) else {
            throw BenchError("/proc/\(id)/status does not tell the memory of \(name)")
        }
        return kilobytes * 1024
    }
}
