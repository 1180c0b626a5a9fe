public import CFSBlocks
import Glibc

/// A publisher's key on the disk: one line of text, which only its owner may read.
public enum KeyFile {
    /// What the line begins with; 64 hexadecimal digits follow.
    static let label = "cfs-ed25519-key-1 "

    /// Makes a new key, and a file that has it.
    ///
    /// - Throws: ``DiskError``; also if there is a file already: a key is never replaced.
    public static func make(at path: String) throws -> SigningKey {
        var random = SystemRandomNumberGenerator()
        let key = SigningKey(using: &random)
        try SmallFile.create(path, label + key.seed.map { hex($0) }.joined() + "\n", mode: 0o600)
        return key
    }

    /// Reads a key.
    ///
    /// - Throws: ``DiskError``; also if others may read the file, or there is something else in it.
    public static func read(_ path: String) throws -> SigningKey {
        var status = stat()
        guard stat(path, &status) == 0 else { throw DiskError("read the key", Array(path.utf8CString)) }
        guard status.st_mode & 0o077 == 0 else {
            throw DiskError("use the key", path, reason: "others may read it (chmod 600 makes it yours)")
        }
        guard let text = try SmallFile.read(path) else { throw DiskError("read the key", path, reason: "it is gone") }
        guard let key = key(text) else { throw DiskError("read the key", path, reason: "not a key of cfs") }
        return key
    }

    private static func key(_ text: String) -> SigningKey? {
        let line = text.hasSuffix("\n") ? text.dropLast() : text[...]
        guard line.hasPrefix(label) else { return nil }
        let digits = Array(line.dropFirst(label.count).utf8)
        guard digits.count == 64 else { return nil }
        var seed: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16), !pair.hasPrefix("+") else { return nil }
            seed.append(byte)
        }
        return SigningKey(seed: seed)
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
