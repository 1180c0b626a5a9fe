/// Reads the text files an administrator writes.
public enum TextFile {
    /// The whole file, which must exist and be UTF-8.
    public static func read(_ path: String, limit: Int) throws(IrisLogError) -> String {
        guard let bytes = try Files.read(path, limit: limit) else {
            throw IrisLogError(.internal, "there is no \(path)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw IrisLogError(.syntax, "\(path) is not UTF-8")
        }
        return text
    }
}
