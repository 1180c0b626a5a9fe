public import VersionKitModel

/// A number that means something only to the version that gave it, a cursor of a listing for example, as clients get it:
/// its last two digits say which version that is.
public struct VersionTag: Sendable, Hashable {
    /// The number as its version knows it.
    public let number: String
    private let tag: UInt32

    /// What a client sent; `nil`: not a number that was tagged.
    public init?(_ text: String) {
        guard text.utf8.count > 2, let tag = UInt32(text.suffix(2)), UInt64(text.dropLast(2)) != nil else { return nil }
        number = String(text.dropLast(2))
        self.tag = tag
    }

    /// The version that gave it, or `nil` if it does not run any more. Of two whose numbers end alike, the newer one.
    public func version(among versions: VersionList) -> Version? { versions.last { $0.number % 100 == tag } }

    /// A version's number as a client gets it.
    public static func text(_ number: String, from version: Version) -> String {
        let tag = version.number % 100
        return number + (tag < 10 ? "0" : "") + String(tag)
    }
}
