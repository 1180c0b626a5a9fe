import Glibc
import VersionKitProcesses

/// What the version is started with beside its command: the words behind `settings`.
struct VersionSettings {
    private var user: UInt32 = 0
    private var group: UInt32 = 0
    private var directory: String?
    private var variables: [String] = []

    /// Those of a version of which nothing is said.
    init() {}

    /// Takes USER GROUP DIRECTORY DATA NAME=VALUE..., makes the directory if it can, and gives the data to the user.
    init(_ words: [String], _ surroundings: Surroundings) throws(Failure) {
        guard words.count >= 4, let user = UInt32(words[0]), let group = UInt32(words[1]) else {
            throw Failure("settings of what?")
        }
        // Among the node's own processes everybody is the node's user.
        if surroundings.root.isEmpty { (self.user, self.group) = (user, group) }
        let directory = surroundings.path(words[2])
        // One that cannot be made is complained of when the version is started.
        Self.make(directory)
        self.directory = directory
        variables = Array(words[4...])
        if words[3] != "-", self.user != 0 || self.group != 0 { try give(surroundings.path(words[3])) }
    }

    /// Changes what every program is started with.
    func apply(to raw: inout RawSpawn) {
        let names = Set(variables.map(Self.name))
        raw.environment = variables + raw.environment.filter { !names.contains(Self.name($0)) }
        if let directory { raw.directory = directory }
        (raw.user, raw.group) = (user, group)
    }

    private static func name(_ variable: String) -> Substring { variable.prefix { $0 != "=" } }

    private func give(_ path: String) throws(Failure) {
        Self.make(path)
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure(call: "find \(path)") }
        if status.st_uid == user, status.st_gid == group { return }
        guard chown(path, user, group) == 0 else { throw Failure(call: "give \(path) to user \(user)") }
    }

    private static func make(_ path: String) {
        var directory = ""
        for name in path.split(separator: "/") {
            directory += "/\(name)"
            mkdir(directory, 0o755)
        }
    }
}
