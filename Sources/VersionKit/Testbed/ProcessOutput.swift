internal import CLinux
internal import Glibc

/// Where what a process writes goes.
public struct ProcessOutput: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case inherited, discarded, pipe
        case file(String)
        case descriptor(Int32)
    }
    let kind: Kind

    /// To where this process's goes.
    public static let inherited = ProcessOutput(kind: .inherited)
    /// Nowhere.
    public static let discarded = ProcessOutput(kind: .discarded)
    /// To `HostProcess.output`, which has to be read: the process waits while the pipe is full.
    public static let pipe = ProcessOutput(kind: .pipe)
    /// To the end of a file, which is created if there is none.
    public static func file(_ path: String) -> ProcessOutput { ProcessOutput(kind: .file(path)) }
    /// To an open descriptor, which stays the caller's.
    public static func descriptor(_ number: Int32) -> ProcessOutput {
        ProcessOutput(kind: .descriptor(number))
    }
}

/// A process's three standard descriptors, opened.
struct StandardStreams {
    private(set) var mappings: [(source: Int32, target: Int32)] = []
    /// The end of the pipe to read from, if there is one.
    private(set) var outputEnd: Descriptor?
    // Open until the child has its own.
    private var opened: [Descriptor] = []

    /// - Parameter errors: nil means wherever the output goes.
    init(output: ProcessOutput, errors: ProcessOutput?) throws(TestbedError) {
        let nothing = try Self.open("/dev/null", O_RDONLY)
        opened.append(nothing)
        mappings.append((nothing.number, STDIN_FILENO))
        let destination = try destination(of: output, inherited: STDOUT_FILENO)
        mappings.append((destination, STDOUT_FILENO))
        var errorDestination = destination
        if let errors { errorDestination = try self.destination(of: errors, inherited: STDERR_FILENO) }
        mappings.append((errorDestination, STDERR_FILENO))
    }

    private mutating func destination(of output: ProcessOutput, inherited: Int32) throws(TestbedError)
        -> Int32
    {
        switch output.kind {
        case .inherited:
            return inherited
        case .descriptor(let number):
            return number
        case .discarded:
            return try keep(Self.open("/dev/null", O_WRONLY))
        case .file(let path):
            return try keep(Self.open(path, O_WRONLY | O_CREAT | O_APPEND))
        case .pipe:
            var ends: [Int32] = [-1, -1]
            if vk_pipe2(&ends, 0) < 0 { throw TestbedError.system("pipe2") }
            outputEnd = Descriptor(ends[0])
            return keep(Descriptor(ends[1]))
        }
    }

    private mutating func keep(_ descriptor: Descriptor) -> Int32 {
        opened.append(descriptor)
        return descriptor.number
    }

    private static func open(_ path: String, _ flags: Int32) throws(TestbedError) -> Descriptor {
        try Descriptor(checking: Glibc.open(path, flags | O_CLOEXEC, 0o644), "cannot open \(path)")
    }
}
