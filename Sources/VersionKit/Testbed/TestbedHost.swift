internal import CLinux
internal import Synchronization
internal import VersionKitProcesses

/// A host of a testbed: a network namespace with `lo` and `eth0` up.
///
/// Files and processes are those of the sandbox; only the network is the host's own.
public final class TestbedHost: Sendable {
    /// Its name in the plan.
    public let name: String

    /// The addresses of `eth0`, in the order of the plan: one of IPv4, one of IPv6, or one of each.
    public let addresses: [String]

    /// The first of them.
    public var address: String { addresses[0] }

    /// The network namespace, as a descriptor that belongs to this object; -1 once the testbed is stopped.
    public var namespace: Int32 { descriptor.number }

    let descriptor: Descriptor
    private let processes = Mutex<[HostProcess]>([])

    init(name: String, addresses: [String], descriptor: Descriptor) {
        self.name = name
        self.addresses = addresses
        self.descriptor = descriptor
    }

    /// Starts a process on this host, with nothing to read and none of this process's descriptors.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to be looked up in PATH.
    ///   - environment: Nil means this process's.
    ///   - directory: Nil means this process's.
    ///   - errors: Nil means wherever `output` goes. Only one of the two may be a pipe.
    public func spawn(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        directory: String? = nil,
        output: ProcessOutput = .inherited,
        errors: ProcessOutput? = nil
    ) throws(TestbedError) -> HostProcess {
        let streams = try StandardStreams(output: output, errors: errors)
        var launch = Launch(
            executable: executable, arguments: arguments, environment: environment, directory: directory,
            descriptors: streams.mappings)
        return try descriptor.use { (namespace) throws(TestbedError) -> HostProcess in
            launch.networkNamespace = namespace
            let (pid, handle) = try launch.start()
            let process = HostProcess(pid: pid, handle: handle, outputEnd: streams.outputEnd)
            // `launch` knows only numbers: what is open has to stay so until the child has its own.
            withExtendedLifetime(streams) {}
            processes.withLock { processes in
                processes.removeAll { $0.exit != nil }
                processes.append(process)
            }
            return process
        }
    }

    /// What a command did that ran to its end.
    public struct CommandResult: Sendable, Hashable {
        /// How it ended.
        public var exit: HostProcess.Exit
        /// What it wrote to its standard output.
        public var output: String
        /// What it wrote to its standard error.
        public var errors: String
    }

    /// Runs a command to its end. Blocks the thread. A failure of the command is a result, not an error.
    ///
    /// - Throws: `TestbedError.Code.timedOut` if it still ran after `timeout`; it is then killed.
    public func run(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        directory: String? = nil,
        timeout: Duration? = nil
    ) throws -> CommandResult {
        let output = try memoryFile()
        let errors = try memoryFile()
        let process = try spawn(
            executable, arguments, environment: environment, directory: directory,
            output: .descriptor(output.descriptor), errors: .descriptor(errors.descriptor))
        do {
            let exit = try process.waitBlocking(timeout: timeout)
            return CommandResult(exit: exit, output: output.contents(), errors: errors.contents())
        } catch {
            process.killGroup()
            throw error
        }
    }

    /// Makes a socket that belongs to this host, for the caller to use on any thread and to close.
    /// The socket keeps the host's network alive.
    public func socket(domain: Int32, type: Int32, protocol: Int32 = 0) throws(TestbedError) -> Int32 {
        try descriptor.use { (namespace) throws(TestbedError) -> Int32 in
            let socket = vk_socket_in(namespace, domain, type, `protocol`)
            if socket < 0 { throw TestbedError.system("no socket on \(name)") }
            return socket
        }
    }

    /// Kills every process started here, and forgets the network.
    func stop() {
        descriptor.close()
        let left = processes.withLock { processes in
            defer { processes = [] }
            return processes
        }
        for process in left { process.killGroup() }
        // A killed process always ends, and only then its sockets are gone.
        for process in left { _ = try? process.waitBlocking() }
    }
}
