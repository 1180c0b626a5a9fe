/// An `ip -batch` under way in a network namespace.
struct IPCommand {
    private let process: HostProcess
    private let errors: MemoryFile
    private let place: String

    /// - Parameter descriptors: what the script refers to as `/proc/self/fd/TARGET`.
    init(
        _ script: String, in namespace: Descriptor, of place: String,
        descriptors: [(source: Int32, target: Int32)] = []
    ) throws(TestbedError) {
        let input = try MemoryFile(script)
        self.errors = try MemoryFile()
        self.place = place
        let launch = Launch(
            executable: "ip", arguments: ["-batch", "-"], environment: nil, directory: nil,
            networkNamespace: namespace.number,
            descriptors: [(input.descriptor.number, 0), (errors.descriptor.number, 2)] + descriptors)
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
