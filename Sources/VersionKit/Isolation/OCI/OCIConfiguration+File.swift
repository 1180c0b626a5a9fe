import FoundationEssentials
import Glibc

extension OCIConfiguration {
    /// Writes it as `config.json`, for nobody else to read.
    func write(to path: String) throws(IsolationError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(self))
        } catch {
            throw IsolationError("the configuration of a container cannot be written: \(error)")
        }
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("make \(path)") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw .system("write \(path)") }
    }
}
