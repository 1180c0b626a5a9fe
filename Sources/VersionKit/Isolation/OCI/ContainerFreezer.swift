import Glibc

/// Makes a container stand still, and go on, as its runtime would, but at once: by its own control group.
struct ContainerFreezer {
    /// How long its processes may take to stand still.
    private static let limit = Duration.seconds(5)

    private let file: String
    private let states: (frozen: String, thawed: String)
    /// Where the kernel says that it stands still, and how.
    private let proof: (file: String, line: String)

    /// - Parameters:
    ///   - name: the control group's.
    ///   - version: which of them there are.
    init(_ name: String, _ version: ControlGroups.Version) {
        switch version {
        case .v1, .hybrid:
            file = "/sys/fs/cgroup/freezer/\(name)/freezer.state"
            states = ("FROZEN", "THAWED")
            proof = (file, "FROZEN")
        case .v2:
            let group = "/sys/fs/cgroup/\(name)"
            file = group + "/cgroup.freeze"
            states = ("1", "0")
            proof = (group + "/cgroup.events", "frozen 1")
        }
    }

    /// Returns when nothing in it runs any more.
    func freeze() async throws(IsolationError) {
        try write(states.frozen)
        let deadline = ContinuousClock.now + Self.limit
        while textOfFile(proof.file)?.split(separator: "\n").contains(Substring(proof.line)) != true {
            guard ContinuousClock.now < deadline else {
                try thaw()
                throw IsolationError("the processes did not stand still within \(Self.limit): one waits for a disk")
            }
            // The kernel looks again whenever it is told.
            if proof.file == file { try write(states.frozen) }
            try? await Task.sleep(for: .microseconds(200))
        }
    }

    /// Lets it go on.
    func thaw() throws(IsolationError) { try write(states.thawed) }

    private func write(_ text: String) throws(IsolationError) {
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open \(file)") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw .system("write \(text) to \(file)")
        }
    }
}
