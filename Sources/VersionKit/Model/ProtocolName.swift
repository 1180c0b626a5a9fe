/// The name of a protocol that an application speaks between its nodes, such as `gossip`: what tells the several ports of
/// one application apart. The same rules as ``ApplicationID``, 63 characters at most.
public struct ProtocolName: Sendable, Hashable, RawRepresentable {
    public let rawValue: String

    /// The protocol of this name, or `nil` if it breaks the rules of ``ApplicationID``.
    public init?(rawValue: String) {
        guard Name.isValid(rawValue, lengthMax: ApplicationID.lengthMax) else { return nil }
        self.rawValue = rawValue
    }
}

extension ProtocolName: CustomStringConvertible, Codable, Comparable {
    public var description: String { rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
