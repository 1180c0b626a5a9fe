import Foundation
import Testing

/// Code in documentation that no compiler sees is wrong sooner or later.
///
/// Method: every line of a block of Swift has to stand, in the same order and without gaps, in a file of Swift that is
/// compiled; how far it is indented does not matter. A line `...` or `// ...` stands for any number of left-out lines.
@Suite("Documentation")
struct DocumentationTests {
    /// Where readers find code.
    static let pages = Repository.files.filter { file in
        file.path == "README.md" || (file.path.hasPrefix("docs/") && file.path.hasSuffix(".md"))
            || (file.path.contains(".docc/") && file.path.hasSuffix(".md"))
    }

    /// What is compiled: the lines of each file, without indentation and empty lines.
    static let sources: [(path: String, lines: [Substring])] = ["Sources", "Tests"].flatMap {
        Repository.files(under: $0, suffix: ".swift")
    }.map { ($0.path, significant($0.lines.map(\.text))) }

    /// Doc comments with code: what they say stands behind `///`.
    static let comments = Repository.files(under: "Sources", suffix: ".swift").filter { file in
        file.lines.contains { isComment($0.text, "```swift") }
    }

    private static func isComment(_ line: Substring, _ text: String) -> Bool {
        String(line).trimmed.hasPrefix("/// " + text)
    }

    @Test("the pages are found")
    func pagesAreFound() {
        #expect(Self.pages.contains { $0.path == "README.md" })
        #expect(Self.pages.contains { $0.path.hasSuffix("Memcached.md") })
        #expect(Self.comments.contains { $0.path.hasSuffix("ProxyProcess.swift") })
    }

    @Test("a block of Swift is an excerpt of code that is compiled", arguments: (pages + comments).map(\.path))
    func blocksAreExcerpts(path: String) {
        for (number, lines) in Self.blocks(of: RepositoryFile(path: path)) {
            let parts = Self.parts(of: lines)
            if parts.isEmpty || Self.sources.contains(where: { Self.contains($0.lines, parts) }) { continue }
            Issue.record(
                """
                \(path):\(number): this block is not an excerpt of any file of Sources or Tests. Copy it from one, with \
                `...` for what is left out, or add it to Tests/DocumentationTests/Samples. \(Self.nearest(to: parts))
                """)
        }
    }

    /// The blocks of Swift of a page, each with the number of its first line.
    static func blocks(of file: RepositoryFile) -> [(number: Int, lines: [Substring])] {
        var blocks: [(number: Int, lines: [Substring])] = []
        var isSwift = false
        for (number, text) in file.lines {
            guard let line = file.path.hasSuffix(".swift") ? commented(text) : text else { continue }
            let mark = String(line).trimmed
            if mark.hasPrefix("```") {
                isSwift = mark.hasPrefix("```swift")
                if isSwift { blocks.append((number + 1, [])) }
            } else if isSwift {
                blocks[blocks.count - 1].lines.append(line)
            }
        }
        return blocks
    }

    /// What a line of a doc comment says.
    private static func commented(_ line: Substring) -> Substring? {
        let start = line.drop { $0 == " " }
        return start.hasPrefix("///") ? start.dropFirst(3) : nil
    }

    /// What stands between left-out lines.
    static func parts(of lines: [Substring]) -> [[Substring]] {
        significant(lines).split { $0 == "..." || $0 == "// ..." }.map(Array.init)
    }

    static func significant(_ lines: [Substring]) -> [Substring] {
        lines.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
    }

    /// Whether all parts are there, one after the other.
    static func contains(_ lines: [Substring], _ parts: [[Substring]]) -> Bool {
        var rest = lines[...]
        for part in parts {
            guard let start = rest.indices.first(where: { rest[$0...].starts(with: part) }) else { return false }
            rest = rest[(start + part.count)...]
        }
        return true
    }

    /// The first line that nobody has, for whoever has to mend the block.
    private static func nearest(to parts: [[Substring]]) -> String {
        let known = Set(sources.flatMap(\.lines))
        guard let line = parts.joined().first(where: { !known.contains($0) }) else {
            return "Each line exists, but not all of them in this order in one file."
        }
        return "No file has `\(line)`."
    }

    @Test(
        "an excerpt is contiguous but for the lines left out",
        arguments: [
            (["a", "b"], true), (["  b", "c"], true), (["a", "c"], false), (["a", "...", "c"], true),
            (["c", "...", "a"], false), (["a", "", "b"], true), (["x"], false),
        ] as [([Substring], Bool)])
    func excerpts(lines: [Substring], isExcerpt: Bool) {
        #expect(Self.contains(["a", "b", "c", "d"], Self.parts(of: lines)) == isExcerpt)
    }
}
