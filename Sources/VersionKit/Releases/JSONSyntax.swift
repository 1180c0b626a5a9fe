/// Finds where a text stops being JSON: the decoder says only that it is none.
struct JSONSyntax {
    private static let depthMax = 64

    private struct Mistake: Error {}

    private let bytes: [UInt8]
    private var index = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The place of the first mistake, in words; `nil` if this is JSON as far as can be told here.
    static func mistake(in bytes: [UInt8]) -> String? {
        var syntax = JSONSyntax(bytes)
        do throws(Mistake) {
            try syntax.value(depth: 0)
            syntax.skipSpace()
            if syntax.index == bytes.count { return nil }
        } catch {
            // The index says all that there is to say.
        }
        let before = bytes[..<syntax.index]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
        return "line \(line), column \(column)"
    }

    private mutating func skipSpace() {
        while index < bytes.count, " \t\r\n".utf8.contains(bytes[index]) { index += 1 }
    }

    /// The next byte that is no space, without taking it.
    private mutating func next() throws(Mistake) -> Character {
        skipSpace()
        guard index < bytes.count else { throw Mistake() }
        return Character(UnicodeScalar(bytes[index]))
    }

    private mutating func take(_ wanted: Character) throws(Mistake) {
        guard try next() == wanted else { throw Mistake() }
        index += 1
    }

    private mutating func value(depth: Int) throws(Mistake) {
        guard depth < Self.depthMax else { throw Mistake() }
        switch try next() {
        case "{":
            try list(until: "}") { (syntax) throws(Mistake) in
                try syntax.string()
                try syntax.take(":")
                try syntax.value(depth: depth + 1)
            }
        case "[": try list(until: "]") { (syntax) throws(Mistake) in try syntax.value(depth: depth + 1) }
        case "\"": try string()
        default: try word()
        }
    }

    private mutating func list(
        until end: Character, _ element: (inout JSONSyntax) throws(Mistake) -> Void
    ) throws(Mistake) {
        index += 1
        if try next() == end {
            index += 1
            return
        }
        while true {
            try element(&self)
            if try next() == end {
                index += 1
                return
            }
            try take(",")
        }
    }

    private mutating func string() throws(Mistake) {
        try take("\"")
        while index < bytes.count, bytes[index] >= 0x20 {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        index = min(index, bytes.count)
        throw Mistake()
    }

    /// A number, `true`, `false` or `null`.
    private mutating func word() throws(Mistake) {
        let start = index
        let letters = bytes[index...].prefix { byte in
            let letter = Character(UnicodeScalar(byte))
            return letter.isLetter || letter.isNumber || "+-.".contains(letter)
        }
        let text = String(decoding: letters, as: UTF8.self)
        guard ["true", "false", "null"].contains(text) || (Double(text) != nil && letters.last != UInt8(ascii: "."))
        else {
            index = start
            throw Mistake()
        }
        index += letters.count
    }
}
