import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// One proxy process, as versiond sees it.
final class ProxyInstance: Sendable {
    let version: Version
    private let process: ChildProcess
    private let control: ControlSocket

    /// Starts the proxy of a release.
    ///
    /// - Parameters:
    ///   - state: the directory for what versions miss: the same for all proxies of an application.
    ///   - variables: further variables of its environment, `NAME=value`.
    init(
        version: Version, program: String, arguments: [String], log: String, state: String,
        variables: [String] = []
    ) throws(SystemError) {
        let (control, child) = try ControlSocket.pair()
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer {
            close(child)
            if output >= 0 { close(output) }
        }
        var options = ChildProcess.Options()
        options.environment = Self.environment(state) + variables
        options.descriptors = [ProxyProcess.controlDescriptor: child]
        if output >= 0 { options.descriptors.merge([1: output, 2: output]) { $1 } }
        process = try ChildProcess.spawn(program, arguments, options: options)
        self.control = control
        self.version = version
    }

    /// What the versiond that this one executes needs to go on with a proxy.
    struct Handover: Sendable, Codable {
        var version: Version
        var process: ChildProcess.Handover
        var control: InheritedDescriptor
    }

    func handOver() -> Handover {
        Handover(version: version, process: process.handOver(), control: control.handOver())
    }

    /// Goes on with a proxy of the versiond before.
    init(resuming handover: Handover) {
        version = handover.version
        process = ChildProcess(resuming: handover.process)
        control = ControlSocket(descriptor: handover.control.number)
    }

    /// versiond's own, and the directory.
    private static func environment(_ state: String) -> [String] {
        let name = "\(ProxyProcess.stateVariable)="
        return ChildProcess.environment.filter { !$0.hasPrefix(name) } + [name + state]
    }

    /// Calls `receive` with whatever the proxy says, on a thread of its own, and at last with ``ControlSocket/Received/closed``.
    func start(_ receive: @escaping @Sendable (ControlSocket.Received) -> Void) { control.start(receive) }

    func send(_ message: ProxyControl, descriptor: Int32? = nil) throws(SystemError) {
        try control.send(message, descriptor: descriptor)
    }

    /// Ends the process, whatever it is doing.
    func kill() {
        control.shutDown()
        process.send(SIGKILL)
    }
}
