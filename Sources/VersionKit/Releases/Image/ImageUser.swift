internal import VersionKitModel

/// Whom an image, or a description, wants a version to run as, in the words of images: `app`, `1000`, `app:staff`,
/// `1000:1000`.
struct ImageUser: Equatable {
    var user: StartSettings.User
    /// The user's home directory, if it is known.
    var home: String?

    /// Finds the numbers of names.
    ///
    /// - Parameters:
    ///   - text: the words; empty is root.
    ///   - users: the text of `/etc/passwd`.
    ///   - groups: the text of `/etc/group`.
    /// - Throws: ``ReleaseError``, `notFound`, for a name that is not there.
    init(_ text: String, users: String, groups: String) throws(ReleaseError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts.first ?? ""
        let number = name.isEmpty ? 0 : UInt32(name)
        // name:password:number:group:comment:home:shell
        let line = Self.lines(users).first {
            $0.count > 5 && (number.map(String.init) ?? name) == $0[number == nil ? 0 : 2]
        }
        guard let id = number ?? line.flatMap({ UInt32($0[2]) }) else {
            throw Self.unknown("user", name, "/etc/passwd")
        }
        var group = line.flatMap { UInt32($0[3]) } ?? 0
        if parts.count == 2, !parts[1].isEmpty {
            let entry = Self.lines(groups).first { $0.count > 2 && $0[0] == parts[1] }
            guard let number = UInt32(parts[1]) ?? entry.flatMap({ UInt32($0[2]) }) else {
                throw Self.unknown("group", parts[1], "/etc/group")
            }
            group = number
        }
        user = StartSettings.User(id: id, group: group)
        home = line.flatMap { $0[5].isEmpty ? nil : $0[5] }
    }

    private static func lines(_ text: String) -> [[String]] {
        text.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private static func unknown(_ what: String, _ name: String, _ file: String) -> ReleaseError {
        ReleaseError(
            .notFound, "the \(what) '\(name.prefix(60))' is not in the image's \(file)", side: .publisher,
            remedy: "name it by its number, as in \"user\": \"1000:1000\", or add it to the image")
    }
}
