public import VersionKitModel

/// What `versionctl` asks of a node's `versiond`: one JSON object on a line, answered by a ``ControlResponse``.
public enum ControlRequest: Codable, Sendable, Equatable {
    /// The node's ``NodeStatus``.
    case status
    /// Take a release from a directory of this machine and begin to upgrade to it.
    case publish(directory: String)
    /// Take the newest version of an application away, as long as the older one runs.
    case rollback(application: ApplicationID)
    /// From inside an environment: these are the ports of the application's server-to-server protocol (R7).
    case register(ports: [UInt16])
}

/// What a node answers.
public enum ControlResponse: Codable, Sendable, Equatable {
    /// It is done, or begun.
    case done(String)
    /// The node's status.
    case status(NodeStatus)
    /// It was refused; the text says why and what to do.
    case refused(String)
}

/// The bounds of control messages.
public enum ControlLimits {
    /// The longest request or answer, in bytes.
    public static let lineBytesMax = 4 << 20
    /// Connections to one control socket at a time.
    public static let connectionsMax = 64
}
