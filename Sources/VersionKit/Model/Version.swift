/// One version of a distributed application: the papers' `vers_t`.
///
/// Versions of one application are totally ordered by their number, and a newer version has a greater number. The
/// number is all that travels in a ``VersionHeader``; the name that people read (`2.1.0-rc1`) belongs to the release.
///
/// - Note: S 3.4 (figure 4), R6. Number 0 never names a version: on the wire it means "none".
public struct Version: Sendable, Hashable, Comparable {
    /// The number, at least 1.
    public let number: UInt32

    /// The version with this number, or `nil` for 0, which names no version.
    public init?(_ number: UInt32) {
        guard number > 0 else { return nil }
        self.number = number
    }

    init(unchecked number: UInt32) {
        self.number = number
    }

    public static func < (left: Version, right: Version) -> Bool { left.number < right.number }
}

extension Version: ExpressibleByIntegerLiteral {
    /// A version in source code, `let first: Version = 1`. The literal 0 is a programmer's mistake and traps.
    public init(integerLiteral number: UInt32) {
        precondition(number > 0, "version numbers begin at 1")
        self.number = number
    }
}

extension Version: LosslessStringConvertible {
    /// The version whose decimal number this is, or `nil`.
    public init?(_ description: String) {
        guard let number = UInt32(description), String(number) == description else { return nil }
        self.init(number)
    }

    public var description: String { String(number) }
}

extension Version: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let version = Version(try container.decode(UInt32.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "version numbers begin at 1")
        }
        self = version
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
