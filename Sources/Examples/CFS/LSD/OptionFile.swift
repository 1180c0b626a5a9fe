import Foundation

/// Options that are in a file: `-O FILE` stands for the words in it, as with the historic `lsd`.
enum OptionFile {
    private static let names: Set = ["-O", "--options"]
    /// Bytes of a file.
    private static let bytesMax = 64 << 10

    /// The command line with the words of the files in their places. A line that begins with `#` is a comment.
    ///
    /// - Throws: if a file is not there, or no text.
    static func expand(_ arguments: some Sequence<String>) throws -> [String] {
        var expanded: [String] = []
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            if names.contains(word), let path = rest.popFirst() {
                expanded += try words(of: path)
            } else {
                expanded.append(word)
            }
        }
        return expanded
    }

    private static func words(of path: String) throws -> [String] {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        let text = String(decoding: try file.read(upToCount: bytesMax) ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .flatMap { $0.split(whereSeparator: \.isWhitespace) }.map(String.init)
    }
}
