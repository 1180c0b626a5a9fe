import Glibc

extension Place {
    /// Where the version's durable state is, if it is kept apart: beside what else it writes.
    var dataName: String { "data" }
    /// What a runtime notes about its container.
    var runtimeState: String { base + "/runtime" }
    var runtimeLog: String { base + "/runtime.log" }
    var runtimeProcess: String { base + "/runtime.pid" }
    var runtimeLock: String { base + "/runtime.lock" }
    var configuration: String { base + "/config.json" }

    /// The directory in which the agent of a container whose memory can be kept makes its socket. Of others there is none.
    var meeting: String { base + "/in" }
    static let meetingName = "agent"
    var isKeepable: Bool { access(meeting, F_OK) == 0 }
    /// Where the agent of a container is.
    var containerAgent: AgentAddress { isKeepable ? .unix(path: "\(meeting)/\(Self.meetingName)") : agent }
    /// Locked while the memory is being kept.
    var keepingLock: String { base + "/keeping.lock" }
    /// Logs of how it was gone on with.
    var restoring: String { base + "/restore" }

    /// How long an agent may take from when the container was made until it listens.
    private static let agentLimit = Duration.seconds(10)

    /// The conversation with an agent that has to listen first.
    func connection() async throws(IsolationError) -> AgentConnection {
        let deadline = ContinuousClock.now + Self.agentLimit
        repeat {
            if let connection = try await AgentConnection.open(containerAgent) { return connection }
            try? await Task.sleep(for: .milliseconds(1))
        } while process.pid != nil && ContinuousClock.now < deadline
        throw IsolationError("the agent does not answer; it may say why in \(log)")
    }

    /// Lets the agent of a keepable container make its socket, or lets nobody else make one in its place.
    ///
    /// The directory belongs to a user that nobody in the container can become.
    func openMeeting(_ isOpen: Bool) throws(IsolationError) {
        let nobody = OwnerMapping.separateCount - 1
        guard chown(meeting, nobody, nobody) == 0, chmod(meeting, isOpen ? 0o777 : 0o755) == 0 else {
            throw .system("change who may write to \(meeting)")
        }
    }
}
