import Glibc
import VersionKitModel

/// An environment out of namespaces, and its init.
struct NamespaceEnvironment: IsolationEnvironment {
    private static let logTailBytes = 2048

    let process: InitProcess
    let link: EnvironmentLink
    let place: Place

    var address: IPv4Address { link.address }

    /// The node reaches into the environment through its init's root directory.
    func copyIn(_ directory: String, to path: String) async throws(IsolationError) {
        let target = "/proc/\(process.id)/root\(path)"
        try await execute("mkdir", ["-p", target])
        try await execute("cp", ["-rL", "--no-target-directory", directory, target])
    }

    func run(_ command: [String]) async throws(IsolationError) {
        try process.say(["run"] + command)
        guard let answer = await process.reply() else { throw IsolationError("the environment ended") }
        guard answer == "done 0" else {
            throw IsolationError("\(command.joined(separator: " ")): \(answer)\n\(logTail())")
        }
    }

    func start(_ command: [String]) async throws(IsolationError) {
        try process.say(["start"] + command)
        try await process.expect("started", what: "start \(command.joined(separator: " "))")
    }

    func exit() async -> Int32? { await process.versionExit() }

    func logTail() -> String {
        let descriptor = open(place.log, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        lseek(descriptor, max(0, size - Self.logTailBytes), SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: Self.logTailBytes)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    func stop(_ teardown: Teardown) async {
        let milliseconds = teardown.gracePeriod.components.seconds * 1000
        // An init that is gone already has stopped everything.
        if (try? process.say(["stop", "\(milliseconds)"])) != nil { _ = await process.reply() }
        await process.end()
    }
}
