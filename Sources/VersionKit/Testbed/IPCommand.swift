internal import VersionKitProcesses

/// An `ip -batch`, or a `tc -batch`, under way in a network namespace.
struct IPCommand {
    private let process: HostProcess
    private let errors: MemoryFile
    private let place: String

    /// - Parameter descriptors: what the script refers to as `/proc/self/fd/TARGET`.
    init(
        _ script: String, in namespace: Descriptor, of place: String,
        descriptors: [(source: Int32, target: Int32)] = [], program: String = "ip"
    ) throws(TestbedError) {
        let input = try memoryFile(script)
        self.errors = try memoryFile()
        self.place = place
        let launch = Launch(
            executable: program, arguments: ["-batch", "-"], environment: nil, directory: nil,
            networkNamespace: namespace.number,
            descriptors: [(input.descriptor, 0), (errors.descriptor, 2)] + descriptors)
        let (pid, handle) = try launch.start()
        // `launch` knows only its number.
        withExtendedLifetime(input) {}
        self.process = HostProcess(pid: pid, handle: handle, outputEnd: nil)
    }

    func finish() throws {
        guard try !process.waitBlocking().isSuccess else { return }
        throw TestbedError(.command, "the network of \(place) cannot be set up: \(errors.contents())")
    }
}

/// A file without a name, with these contents.
func memoryFile(_ contents: String = "") throws(TestbedError) -> MemoryFile {
    do throws(SystemError) {
        return try MemoryFile(contents)
    } catch {
        throw TestbedError(.system, "\(error)")
    }
}
