import Glibc
import VersionKitProcesses

/// A container that is to be made, and with what.
struct OCIContainer {
    /// The longest that making one may take.
    private static let createLimit = Duration.seconds(30)
    /// Its name in its runtime's directory, where there is no other.
    static let name = "environment"

    let specification: EnvironmentSpecification
    let place: Place
    let runtime: OCIRuntime
    /// The runtime's path.
    let program: String
    /// What it has to be shown of the node's control groups.
    let view: String
    let groups: ControlGroups
    let owners = OwnerMapping.current()

    /// Whether its memory can be kept, by what it is made of.
    var isKeepable: Bool { runtime.keepsMemory && owners.isSeparate && groups.version != nil }

    private var stage: Stage { Stage(covering: place.base) }

    /// The program that becomes the runtime, and what it mounts before.
    private var launcher: [String] {
        let (launcher, arguments) = place.withDisk(
            specification.tools.agent,
            stage.arguments(specification, place, owners: owners, view: view, isKeepable: isKeepable))
        return [launcher] + arguments + ["--"]
    }

    private func writeConfiguration() throws(IsolationError) {
        let configuration = OCIConfiguration(
            specification, owners: owners, stage: stage.path,
            cgroup: groups.version == nil ? nil : Cgroup(of: place).name, isKeepable: isKeepable)
        try configuration.write(to: place.configuration)
        if isKeepable {
            try make(place.meeting)
            try place.openMeeting(true)
        }
        for file in [place.runtimeLog, place.runtimeProcess] { unlink(file) }
    }

    private func openLog() throws(IsolationError) -> Int32 {
        let log = open(place.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw .system("open \(place.log)") }
        return log
    }

    /// Has the runtime make it.
    ///
    /// - Parameter listener: the agent's, unless it makes its socket itself.
    /// - Returns: the agent's process.
    func create(listener: Int32?) async throws(IsolationError) -> pid_t {
        try writeConfiguration()
        let log = try openLog()
        defer { close(log) }
        let command =
            launcher + [program]
            + runtime.arguments(place: place, stage: stage.path, hasGroups: groups.version != nil)
        let result: Command.Result
        do throws(SystemError) {
            result = try await Command.run(
                command[0], Array(command.dropFirst()),
                // The runtime passes on as many descriptors as it is told, whatever they are.
                descriptors: [2: log, AgentSocket.inherited: listener ?? log], limit: Self.createLimit)
        } catch {
            throw IsolationError("\(error)")
        }
        guard result.exit.isSuccess, let pid = pid_t(textOfFile(place.runtimeProcess) ?? "") else {
            let reason = (textOfFile(place.runtimeLog) ?? "") + result.output
            throw IsolationError(
                "\(runtime.name) could not create the environment: \(reason.split(separator: "\n").last ?? "\(result.exit)")"
            )
        }
        return pid
    }

    /// Goes on with one whose memory was kept, in a network with nothing in it.
    ///
    /// - Parameter images: where its memory is.
    /// - Returns: the agent's process.
    func restore(from images: String, criu: Criu) async throws(IsolationError) -> pid_t {
        try writeConfiguration()
        let log = try openLog()
        defer { close(log) }
        var memory = ContainerMemory(runc: program, root: place.runtimeState, criu: criu)
        memory.prefix = launcher
        try await memory.restore(
            Self.name, bundle: stage.path, from: images, connections: .closed, network: .own, output: log,
            work: place.restoring, processFile: place.runtimeProcess)
        guard let pid = pid_t(textOfFile(place.runtimeProcess) ?? "") else {
            throw IsolationError("the environment ended as it went on: it may say why in \(place.log)")
        }
        return pid
    }
}
