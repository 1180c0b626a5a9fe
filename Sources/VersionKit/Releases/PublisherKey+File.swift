extension PublisherKey {
    private static let header = "-----BEGIN VERSIONKIT PUBLISHER KEY-----"
    private static let footer = "-----END VERSIONKIT PUBLISHER KEY-----"

    /// Writes the key pair to a new file that only its owner can read.
    ///
    /// - Throws: ``ReleaseError`` if a file stands there already: overwriting a key would lose it.
    public func write(to path: String) throws(ReleaseError) {
        guard try Disk.kind(of: path) == nil else {
            throw ReleaseError(
                .conflict, "\(path) exists already", side: .publisher,
                remedy: "choose another file; a key that is overwritten is lost")
        }
        let text = "\(Self.header)\n\(Base64.encode(seed))\n\(Self.footer)\n"
        let file = try OpenFile.creating(path, mode: 0o600)
        do throws(ReleaseError) {
            try Array(text.utf8).span.bytes.withUnsafeBytes { (raw) throws(ReleaseError) in try file.writeAll(raw) }
            try file.flush()
        } catch {
            Disk.removeFile(path)
            throw error
        }
    }

    /// The names of the files in a directory that hold a key pair, by their first line.
    package static func names(in directory: String) throws(ReleaseError) -> [String] {
        var names: [String] = []
        for name in try Disk.names(in: directory) where try Disk.kind(of: "\(directory)/\(name)") == .file {
            // What cannot be read is no key of ours.
            guard let file = try? OpenFile.reading("\(directory)/\(name)"),
                let start = try? file.start(header.utf8.count)
            else { continue }
            if start.elementsEqual(header.utf8) { names.append(name) }
        }
        return names
    }

    /// Reads a key pair that ``write(to:)`` wrote.
    public init(contentsOf path: String) throws(ReleaseError) {
        let mode = try Disk.mode(of: path)
        guard mode & 0o077 == 0 else {
            throw ReleaseError(
                .badKey, "\(path) can be read or written by others", side: .publisher,
                remedy: "chmod 600 \(path), and make a new key if others had access")
        }
        let text = String(decoding: try Disk.readFile(path, bytesMax: 4096), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count == 3, lines[0] == Self.header, lines[2] == Self.footer,
            let seed = Base64.decode(String(lines[1])), let key = PublisherKey(seed: seed)
        else {
            throw ReleaseError(
                .badKey, "\(path) does not hold a publisher's private key", side: .publisher,
                remedy: "make one with versionctl")
        }
        self = key
    }
}
