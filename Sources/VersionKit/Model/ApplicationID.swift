/// The name of a managed application, `irislog` or `cfs`: the same on every node, in releases and on the wire.
///
/// One to ``lengthMax`` characters out of `a-z`, `0-9`, `-`, beginning with a letter, so that it can stand in file
/// names, command lines and metrics without quoting.
public struct ApplicationID: Sendable, Hashable, RawRepresentable {
    /// The longest name, in bytes.
    public static let lengthMax = 63

    public let rawValue: String

    /// The application of this name, or `nil` if it breaks the rules above.
    public init?(rawValue: String) {
        guard Name.isValid(rawValue, lengthMax: Self.lengthMax) else { return nil }
        self.rawValue = rawValue
    }
}

/// The name of a node in its fleet. The same rules as ``ApplicationID``.
public struct NodeID: Sendable, Hashable, RawRepresentable {
    /// The longest name, in bytes.
    public static let lengthMax = 63

    public let rawValue: String

    /// The node of this name, or `nil` if it breaks the rules of ``ApplicationID``.
    public init?(rawValue: String) {
        guard Name.isValid(rawValue, lengthMax: Self.lengthMax) else { return nil }
        self.rawValue = rawValue
    }
}

/// What application and node names have in common.
enum Name {
    static func isValid(_ name: String, lengthMax: Int) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        guard name.utf8.count <= lengthMax else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }
}

extension ApplicationID: CustomStringConvertible, Codable, Comparable {
    public var description: String { rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension NodeID: CustomStringConvertible, Codable, Comparable {
    public var description: String { rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
