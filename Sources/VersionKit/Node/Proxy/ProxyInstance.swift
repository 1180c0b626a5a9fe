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
    /// - Parameter state: the directory for what versions miss: the same for all proxies of an application.
    init(
        version: Version, program: String, arguments: [String], log: String, state: String
    ) throws(SystemError) {
        let (control, child) = try ControlSocket.pair()
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer {
            close(child)
            if output >= 0 { close(output) }
        }
        var options = ChildProcess.Options()
        options.environment = Self.environment(state)
        options.descriptors = [ProxyProcess.controlDescriptor: child]
        if output >= 0 { options.descriptors.merge([1: output, 2: output]) { $1 } }
        process = try ChildProcess.spawn(program, arguments, options: options)
        self.control = control
        self.version = version
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
