import Glibc

/// Whom a machine's process runs as: nobody else on the node, not even another machine, so that whoever breaks out of it
/// finds nothing that is his.
struct UMLUser: Sendable, Hashable {
    /// The users of machines are those from here on, one for each slot. They are in no list of users.
    private static let first: uid_t = 1_447_755_776

    let id: uid_t

    /// `nil`: this process may not choose, and the machine runs as its own user.
    init?(slot: Int, range: String = UMLUser.range, effectiveUser: uid_t = geteuid()) {
        guard effectiveUser == 0, slot >= 0 else { return nil }
        id = Self.first + uid_t(slot)
        guard Self.covers(range, id) else { return nil }
    }

    /// What precedes the command of a program that runs as this user, or as whoever runs this, without any privilege.
    static func command(_ user: UMLUser?) -> [String] {
        ["setpriv"] + (user.map { ["--reuid", "\($0.id)", "--regid", "\($0.id)", "--clear-groups"] } ?? [])
            + ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    }

    /// Makes a file or directory this user's.
    func own(_ path: String) throws(IsolationError) {
        guard lchown(path, id, id) == 0 else { throw .system("give \(path) to the user \(id)") }
    }

    /// Whether a user namespace has this user: lines of `FIRST OUTSIDE COUNT`.
    static func covers(_ range: String, _ id: uid_t) -> Bool {
        range.split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return numbers.count == 3 && (numbers[0]..<numbers[0] + numbers[2]).contains(UInt64(id))
        }
    }

    /// Those of this process's.
    private static var range: String {
        guard let file = fopen("/proc/self/uid_map", "re") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        return String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
    }
}
