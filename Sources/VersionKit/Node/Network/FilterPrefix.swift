public import VersionKitModel
package import VersionKitRouter

/// The bytes with which the connections of one version begin, as versiond's configuration has them:
/// `{ "version": 2, "text": "HELLO 2" }` or `{ "version": 2, "hex": "00ff02" }`.
public struct FilterPrefix: Codable, Sendable, Hashable {
    /// Whose connections begin so.
    public var version: Version
    /// The bytes as text, UTF-8.
    public var text: String?
    /// The bytes as hexadecimal digits, two for each. Exactly one of the two is given.
    public var hex: String?

    /// A prefix as text.
    public init(_ text: String, version: Version) {
        self.version = version
        self.text = text
    }

    /// What the router makes of it.
    ///
    /// - Throws: ``NodeError`` if not exactly one of the two forms is there, or the digits are none.
    func prefix() throws -> PrefixFilter.Prefix {
        if let text, hex == nil { return PrefixFilter.Prefix(Array(text.utf8), version) }
        guard text == nil, let digits = hex.map({ Array($0) }) else {
            throw NodeError("the filter of version \(version) has to have either 'text' or 'hex'")
        }
        guard digits.count.isMultiple(of: 2) else {
            throw NodeError("'\(String(digits))' is not hexadecimal: each byte has two digits")
        }
        let bytes = try stride(from: 0, to: digits.count, by: 2).map { index in
            guard let high = digits[index].hexDigitValue, let low = digits[index + 1].hexDigitValue else {
                throw NodeError("'\(String(digits))' is not hexadecimal")
            }
            return UInt8(high << 4 | low)
        }
        return PrefixFilter.Prefix(bytes, version)
    }
}

extension NodeConfiguration.Application {
    /// The filter that its prefixes make; `nil` without any.
    ///
    /// - Throws: ``NodeError`` that says what is wrong with one of them.
    package func prefixFilter() throws -> PrefixFilter? {
        guard let filter, !filter.isEmpty else { return nil }
        let prefixes = try filter.map { try $0.prefix() }
        if let long = prefixes.first(where: { $0.bytes.count > Limits.standard.filterBytesMax }) {
            throw NodeError("the filter of version \(long.version) is longer than the router looks")
        }
        return PrefixFilter(prefixes)
    }
}
