import Glibc

/// Which of the node's users those of a container are.
struct OwnerMapping: Equatable {
    /// Above what distributions give to users and to containers of others.
    private static let separate = OwnerMapping(first: 1_900_000_000, count: separateCount)
    /// How many users a container then has; on the disk their numbers begin with 0.
    static let separateCount: UInt32 = 65536

    /// The container's root.
    var first: UInt32
    var count: UInt32

    /// Users that nobody else on the node is, if this process may give them; else its own user.
    ///
    /// - Parameter map: what `/proc/self/uid_map` says, which users there are.
    init(map: String, user: UInt32) {
        let separate = Self.separate
        let hasThem = map.split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 3 else { return false }
            return numbers[0] <= UInt64(separate.first)
                && numbers[0] + numbers[2] >= UInt64(separate.first) + UInt64(separate.count)
        }
        // Only root of the whole machine has mounts of which it can say whose their files are.
        self = hasThem && user == 0 ? separate : OwnerMapping(first: user, count: 1)
    }

    private init(first: UInt32, count: UInt32) { (self.first, self.count) = (first, count) }

    /// Whether files have to appear as those of other users.
    var isSeparate: Bool { self == Self.separate }

    /// That of this process's environments.
    static func current() -> OwnerMapping {
        OwnerMapping(map: textOfFile("/proc/self/uid_map") ?? "", user: geteuid())
    }
}

/// The first bytes of a small file; `nil` if it cannot be read.
func textOfFile(_ path: String) -> String? {
    guard let stream = fopen(path, "re") else { return nil }
    defer { fclose(stream) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    return String(decoding: buffer[..<fread(&buffer, 1, buffer.count, stream)], as: UTF8.self)
}
