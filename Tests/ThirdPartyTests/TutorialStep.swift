import FoundationEssentials

/// What a page of the documentation has its reader do.
enum TutorialStep: Hashable {
    /// Write a file, which the text before it names.
    case write(file: String, text: String)
    /// Type a line at the shell.
    case type(String)

    /// The steps of a page from a heading on, in order.
    ///
    /// - Parameter path: the page's, from the repository's root.
    static func read(_ path: String, from heading: String) throws -> [TutorialStep] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try String(contentsOfFile: "/\(root)/\(path)", encoding: .utf8)
        var steps: [TutorialStep] = []
        var file = ""
        var block: [Substring]?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false).drop(while: { $0 != heading }) {
            if line.hasPrefix("```") {
                if let lines = block { steps.append(.write(file: file, text: lines.joined(separator: "\n") + "\n")) }
                block = block == nil ? [] : nil
            } else if block != nil {
                block?.append(line)
            } else if line.hasPrefix("    ") {
                steps.append(.type(String(line.dropFirst(4))))
            } else if let named = line.split(separator: "`").last(where: { $0.hasSuffix(".json") }) {
                file = String(named)
            }
        }
        return steps
    }
}
