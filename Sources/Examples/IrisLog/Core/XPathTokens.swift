/// A token of XPath 1.0.
struct XPathToken: Equatable {
    /// `operation` is `*`, `and`, `or`, `div` or `mod` where XPath means the operator and not a name.
    enum Kind { case name, number, literal, symbol, operation }
    let kind: Kind
    let text: String

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    func isSymbol(_ text: String) -> Bool { kind == .symbol && self.text == text }
    func isName(_ names: Set<String>) -> Bool { kind == .name && names.contains(text) }
    func isOperation(_ names: Set<String>) -> Bool { kind == .operation && names.contains(text) }

    /// Whether an operator can follow: XPath 1.0 section 3.7 tells `*` and operator names apart by this alone.
    var isOperandEnd: Bool {
        kind == .name || kind == .number || kind == .literal
            || kind == .symbol && [")", "]", ".", "..", "*"].contains(text)
    }

    /// Whether a `/` behind it continues a path; behind everything else it starts one at the root.
    var endsStep: Bool { kind == .name || kind == .symbol && [")", "]", ".", "..", "*"].contains(text) }
}

/// Splits an expression into tokens, so that the planner never mistakes the inside of a string for a path.
enum XPathTokens {
    private static let pairs: Set<String> = ["//", "..", "::", "!=", "<=", ">="]
    private static let operators: Set<String> = ["and", "or", "div", "mod"]
    private static let singles: Set<Unicode.Scalar> = [
        "/", "|", "+", "-", "=", "<", ">", "(", ")", "[", "]", ".", "@", ",", ":", "*", "$",
    ]

    /// The tokens; nil if a character belongs to none (also letters beyond ASCII) or a string is not closed.
    static func split(_ text: String) -> [XPathToken]? {
        var tokens: [XPathToken] = []
        // Scalars, not characters: an accent behind a quote must not hide the quote.
        let characters = Array(text.unicodeScalars)
        var index = 0
        while index < characters.count {
            let character = characters[index]
            var end = index + 1
            if [" ", "\t", "\r", "\n"].contains(character) {
                index = end
                continue
            }
            if character == "'" || character == "\"" {
                guard let close = characters[end...].firstIndex(of: character) else { return nil }
                end = close + 1
                tokens.append(XPathToken(.literal, self.text(characters[index..<end])))
            } else if character.isDigit || (character == "." && end < characters.count && characters[end].isDigit) {
                while end < characters.count, characters[end].isDigit || characters[end] == "." { end += 1 }
                tokens.append(XPathToken(.number, self.text(characters[index..<end])))
            } else if character.isNameLetter || character == "_" {
                while end < characters.count, characters[end].isInName { end += 1 }
                let word = self.text(characters[index..<end])
                let isOperation = operators.contains(word) && (tokens.last?.isOperandEnd ?? false)
                tokens.append(XPathToken(isOperation ? .operation : .name, word))
            } else if end < characters.count, pairs.contains(self.text(characters[index...end])) {
                end += 1
                tokens.append(XPathToken(.symbol, self.text(characters[index..<end])))
            } else if singles.contains(character) {
                let isOperation = character == "*" && (tokens.last?.isOperandEnd ?? false)
                tokens.append(XPathToken(isOperation ? .operation : .symbol, String(character)))
            } else {
                return nil
            }
            index = end
        }
        return tokens
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var isNameLetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
    fileprivate var isInName: Bool { isNameLetter || isDigit || self == "_" || self == "-" || self == "." }
}
