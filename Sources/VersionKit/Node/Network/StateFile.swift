import FoundationEssentials
import Glibc
import VersionKitProcesses

/// What a versiond that was killed and starts again has to know, one JSON array in one file.
struct StateFile<Entry: Codable & Sendable>: Sendable {
    let path: String

    /// What an earlier run wrote; nothing if there was none, or if the file is damaged: then `isDamaged` is told.
    func read(isDamaged: (String) -> Void) -> [Entry] {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return [] }
        do {
            return try JSONDecoder().decode([Entry].self, from: data)
        } catch {
            isDamaged("\(path) cannot be read: \(error)")
            return []
        }
    }

    /// Writes all of them, so that the file is the old one or the new one whatever happens.
    func write(_ entries: [Entry]) throws {
        let new = path + ".new"
        try JSONEncoder().encode(entries).write(to: URL(filePath: new))
        let descriptor = open(new, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(new)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0, rename(new, path) == 0 else { throw SystemError("write \(path)") }
    }
}
