import Foundation
import Testing

/// What a reviewer should not have to look for.
///
/// Method: read every file of the repository as text, and name file, line and remedy of what is wrong.
@Suite("Tidiness")
struct TidyTests {
    static let linesMax = 500

    @Test("the repository is found from the path of this file")
    func repositoryIsFound() {
        #expect(Repository.files.contains { $0.path == "Package.swift" }, "looked in \(Repository.root.path)")
    }

    @Test("the sources hold no notes about unfinished work")
    func sourcesHoldNoNotes() throws {
        let note = try NSRegularExpression(pattern: #"\b(TODO|FIXME|XXX|HACK)\b"#)
        for file in Repository.files(under: "Sources", suffix: "") {
            for (number, line) in file.lines where note.matches(String(line)) {
                Issue.record(
                    "\(file.path):\(number): `\(String(line).trimmed)`. Finish it, or make it an issue and say why here."
                )
            }
        }
    }

    @Test("a source file is no longer than a reader's patience")
    func filesAreShort() {
        let folders = ["Sources", "Tests", "Fuzzing", "Benchmarks"]
        for file in folders.flatMap({ Repository.files(under: $0, suffix: ".swift") }) {
            let count = file.lines.last.map { $0.text.isEmpty ? $0.number - 1 : $0.number } ?? 0
            if count > Self.linesMax {
                Issue.record(
                    "\(file.path):\(Self.linesMax + 1): \(count) lines. Split it by topic: `Type+Topic.swift`, \(Self.linesMax) at most."
                )
            }
        }
    }

    @Test("a link in a Markdown file leads somewhere")
    func linksLeadSomewhere() throws {
        let link = try NSRegularExpression(pattern: #"\]\(\s*<?([^)\s>]+)"#)
        // A documentation catalog has rules of its own, which `make docs` checks.
        for file in Repository.files where file.path.hasSuffix(".md") && !file.path.contains(".docc/") {
            let folder = file.url.deletingLastPathComponent()
            for (number, line) in file.proseLines {
                let line = String(line)
                for match in link.matches(in: line, range: NSRange(line.startIndex..., in: line)) {
                    guard let range = Range(match.range(at: 1), in: line), let target = localTarget(line[range]) else {
                        continue
                    }
                    let there = folder.appendingPathComponent(target)
                    if !FileManager.default.fileExists(atPath: there.path) {
                        Issue.record(
                            "\(file.path):\(number): links to \(target), which does not exist. Mend the link or add the file."
                        )
                    }
                }
            }
        }
    }

    @Test("a script can be run")
    func scriptsAreExecutable() {
        let scripts = Repository.files.filter { $0.path.hasPrefix("scripts/") || $0.path.hasPrefix(".ci/") }
        for file in scripts where file.lines.first?.text.hasPrefix("#!") == true {
            if !FileManager.default.isExecutableFile(atPath: file.url.path) {
                Issue.record("\(file.path):1: is a script that cannot be run. Do: chmod +x \(file.path)")
            }
        }
    }

    @Test("no file names a folder of somebody's machine")
    func filesNameNoMachinePaths() throws {
        // Put together here, so that this file does not name one either.
        let folders = ["work", "home", "Users", "root"].joined(separator: "|")
        let path = try NSRegularExpression(pattern: #"(^|[\s"'`=(<>\[{,;:|])/(\#(folders))/"#)
        for file in Repository.files where file.path != "Package.resolved" {
            for (number, line) in file.lines where path.matches(String(line)) {
                Issue.record(
                    "\(file.path):\(number): `\(String(line).trimmed)` names a machine's own path. Use one relative to the repository, or an environment variable."
                )
            }
        }
    }

    /// The file that a link means, or `nil` if it leads out of the repository, into the same page, or to a symbol.
    private func localTarget(_ link: Substring) -> String? {
        guard !link.hasPrefix("#"), !link.hasPrefix("/"),
            link.range(of: #"^[a-zA-Z][a-zA-Z+.-]*:"#, options: .regularExpression) == nil
        else { return nil }
        let path = link.prefix { $0 != "#" && $0 != "?" }
        return path.removingPercentEncoding ?? String(path)
    }
}

extension RepositoryFile {
    /// The lines of a Markdown file outside of blocks of code, without code within the line.
    fileprivate var proseLines: [(number: Int, text: String)] {
        var isCode = false
        return lines.compactMap { number, line in
            if String(line).trimmed.hasPrefix("```") {
                isCode.toggle()
                return nil
            }
            guard !isCode else { return nil }
            return (number, line.replacingOccurrences(of: "`[^`]*`", with: "``", options: .regularExpression))
        }
    }
}
