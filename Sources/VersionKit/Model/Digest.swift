/// The SHA-256 of some bytes, written `sha256:` and 64 lower-case hexadecimal digits: the name of a layer.
///
/// A value of this type is well formed, so it can stand in file names without further checks. Upper-case digits are
/// refused rather than folded: one content has one name.
///
/// - Note: Module `Crypto` has a protocol of the same name; a file that imports both writes `VersionKitModel.Digest`.
public struct Digest: Sendable, Hashable {
    /// The 64 digits without the prefix: the name of the file that holds the content.
    public let hex: String

    /// The digest with these 64 lower-case hexadecimal digits, or `nil`.
    public init?(hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(Self.isHexDigit) else { return nil }
        self.hex = hex
    }

    /// The digest with these 32 bytes, or `nil` if they are more or fewer.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.hex = Self.hex(of: bytes)
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        let digits = hex.utf8.map { $0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Bytes as lower-case hexadecimal digits.
    package static func hex(of bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0x0f)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}

extension Digest: LosslessStringConvertible {
    private static let prefix = "sha256:"

    /// The digest written as `sha256:<64 hexadecimal digits>`, or `nil`.
    public init?(_ description: String) {
        guard description.hasPrefix(Self.prefix) else { return nil }
        self.init(hex: String(description.dropFirst(Self.prefix.count)))
    }

    /// `sha256:` and the digits.
    public var description: String { Self.prefix + hex }
}

extension Digest: Codable {
    /// Reads the text form, refusing anything else.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a digest is \"sha256:\" and 64 lower-case hexadecimal digits")
        }
        self = digest
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
