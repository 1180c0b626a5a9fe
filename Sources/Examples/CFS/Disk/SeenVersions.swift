public import CFSModel
import Glibc

/// Which versions of file systems were seen on this machine, so that nobody can show an older one later: a directory with a
/// small file for each.
public struct SeenVersions: Sendable {
    private let folder: String

    /// Those that are kept in a directory, which is made with its parents when the first one is.
    public init(_ folder: String) { self.folder = folder }

    /// The version that was seen last.
    ///
    /// - Returns: nil if none was.
    /// - Throws: ``DiskError``; also if there is something else in the file: to go on without would be to believe anything.
    public func version(of name: ChordID) throws -> UInt32? {
        guard let text = try SmallFile.read(path(name)) else { return nil }
        guard let version = UInt32(text.hasSuffix("\n") ? text.dropLast() : text[...]) else {
            throw DiskError("read", path(name), reason: "not a version; remove it to begin anew")
        }
        return version
    }

    /// A version was seen. An older one changes nothing.
    ///
    /// - Throws: ``DiskError``.
    public func saw(_ version: UInt32, of name: ChordID) throws {
        if let old = try self.version(of: name), old >= version { return }
        try makeFolder()
        try SmallFile.replace(path(name), "\(version)\n")
    }

    /// Bytes that only this machine knows, the same ones each time: 32 random ones, made when they are needed first.
    ///
    /// - Throws: ``DiskError``.
    public func secret() throws -> [UInt8] {
        let path = "\(folder)/secret"
        if try SmallFile.read(path) == nil {
            try makeFolder()
            var random = SystemRandomNumberGenerator()
            let text = (0..<8).map { _ in String(UInt32.random(in: .min ... .max, using: &random), radix: 16) }
            do { try SmallFile.create(path, text.joined(separator: " ") + "\n", mode: 0o600) } catch {
                // Somebody else made it just now.
                guard try SmallFile.read(path) != nil else { throw error }
            }
        }
        guard let text = try SmallFile.read(path), text.hasSuffix("\n") else {
            throw DiskError("read", path, reason: "it is not whole; remove it to begin anew")
        }
        return Array(text.utf8)
    }

    private func path(_ name: ChordID) -> String { "\(folder)/\(name)" }

    private func makeFolder() throws {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw DiskError("make the directory", Array(path.utf8CString))
            }
        }
    }
}
