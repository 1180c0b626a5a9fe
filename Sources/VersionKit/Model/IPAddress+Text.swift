// Addresses as text: RFC 4291, 2.2 for reading, RFC 5952 for writing.

extension IPAddress: LosslessStringConvertible {
    /// The most that a text has: eight groups of four digits, or six and four decimal numbers.
    private static let textBytesMax = 45

    /// The address of a text: four decimal numbers, or any form of IPv6 without a scope; anything else is `nil`.
    public init?(_ description: String) {
        let text = description.utf8
        guard text.count <= Self.textBytesMax else { return nil }
        guard text.contains(UInt8(ascii: ":")) else {
            guard let number = Self.decimals(description[...]) else { return nil }
            self.init(v4: number)
            return
        }
        guard let groups = Self.groups(description[...]) else { return nil }
        func number(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
        self.init(high: number(groups[..<4]), low: number(groups[4...]))
    }

    /// Stricter than many systems, which read "010" as eight here and as ten there.
    private static func decimals(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }

    /// The eight groups of an IPv6 address. A double colon stands for one group of zeros at least.
    private static func groups(_ text: Substring) -> [UInt16]? {
        guard let gap = text.firstRange(of: "::") else {
            let groups = plainGroups(text)
            return groups?.count == 8 ? groups : nil
        }
        let (front, back) = (text[..<gap.lowerBound], text[gap.upperBound...])
        // Four decimal numbers are the end of an address.
        guard !front.contains("."), let first = front.isEmpty ? [] : plainGroups(front),
            let last = back.isEmpty ? [] : plainGroups(back), first.count + last.count < 8
        else { return nil }
        return first + Array(repeating: 0, count: 8 - first.count - last.count) + last
    }

    /// Groups without a gap; the last two may be written as an IPv4 address.
    private static func plainGroups(_ text: Substring) -> [UInt16]? {
        let words = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, word) in words.enumerated() {
            if index == words.count - 1, word.contains(".") {
                guard let number = decimals(word) else { return nil }
                groups += [UInt16(number >> 16), UInt16(number & 0xFFFF)]
            } else {
                guard 1...4 ~= word.utf8.count, word.allSatisfy(\.isHexDigit), let group = UInt16(word, radix: 16)
                else {
                    return nil
                }
                groups.append(group)
            }
        }
        return groups
    }

    /// Four decimal numbers, or the shortest form of IPv6.
    public var description: String {
        if let number = v4 { return [24, 16, 8, 0].map { String(number >> $0 & 0xFF) }.joined(separator: ".") }
        let groups = [high, low].flatMap { word in [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: word >> $0) } }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard let zeros = Self.longestZeros(groups) else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    /// The first of the longest runs of two or more zeros.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start >= max(2, (longest?.count ?? 1) + 1) { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}

extension IPAddress: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(text) is not an IP address"))
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
