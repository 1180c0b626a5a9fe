/// Counts the lines of Swift sources that hold code: what somebody who writes an adapter has to write.
package enum CodeLines {
    /// How many lines are neither blank nor all comment.
    ///
    /// Comments nest, and a string may hold what looks like the start of one, so the text is read as Swift reads it as
    /// far as that matters. Lines inside a literal of several lines count unless they are blank.
    package static func count(_ source: String) -> Int {
        var scanner = Scanner(source)
        return scanner.count()
    }

    /// Whether a file says at its head that a program made it.
    package static func isGenerated(_ source: String) -> Bool {
        source.split(whereSeparator: \.isNewline).prefix(3).contains {
            $0.hasPrefix("//") && $0.contains("do not edit")
        }
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var index = 0
        private var lines = 0
        private var lineHasCode = false

        init(_ source: String) { bytes = Array(source.utf8) }

        mutating func count() -> Int {
            while index < bytes.count {
                if isNext("//") {
                    while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
                } else if isNext("/*") {
                    skipComment()
                } else if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "#") {
                    skipLiteral()
                } else {
                    step()
                }
            }
            if lineHasCode { lines += 1 }
            return lines
        }

        private func isNext(_ text: StaticString) -> Bool {
            guard index + text.utf8CodeUnitCount <= bytes.count else { return false }
            return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[index + $0] == text.utf8Start[$0] }
        }

        /// One byte of code, or of the space around it.
        private mutating func step() {
            switch bytes[index] {
            case UInt8(ascii: "\n"):
                if lineHasCode { lines += 1 }
                lineHasCode = false
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: lineHasCode = true
            }
            index += 1
        }

        private mutating func skipComment() {
            var depth = 0
            repeat {
                if isNext("/*") {
                    depth += 1
                    index += 2
                } else if isNext("*/") {
                    depth -= 1
                    index += 2
                } else if bytes[index] == UInt8(ascii: "\n") {
                    step()
                } else {
                    index += 1
                }
            } while depth > 0 && index < bytes.count
        }

        /// A string of any of Swift's kinds; `#` that begins none is code.
        private mutating func skipLiteral() {
            var hashes = 0
            while index < bytes.count, bytes[index] == UInt8(ascii: "#") {
                hashes += 1
                step()
            }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return }
            let quotes = isNext("\"\"\"") ? 3 : 1
            for _ in 0..<quotes { step() }
            while index < bytes.count, !isClosing(quotes: quotes, hashes: hashes) {
                // An escaped quotation mark does not end the string.
                if hashes == 0, bytes[index] == UInt8(ascii: "\\") { step() }
                if index < bytes.count { step() }
            }
            for _ in 0..<quotes + hashes where index < bytes.count { step() }
        }

        private func isClosing(quotes: Int, hashes: Int) -> Bool {
            guard index + quotes + hashes <= bytes.count else { return false }
            return bytes[index..<index + quotes].allSatisfy { $0 == UInt8(ascii: "\"") }
                && bytes[index + quotes..<index + quotes + hashes].allSatisfy { $0 == UInt8(ascii: "#") }
        }
    }
}
