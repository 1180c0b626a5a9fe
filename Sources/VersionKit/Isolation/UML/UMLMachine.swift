import VersionKitModel

/// What a User Mode Linux kernel is started with: a value, so that it can be looked at without a machine.
///
/// Names of files are relative to the machine's directory.
struct UMLMachine: Sendable, Hashable {
    static let disk = "disk"
    static let layers = "layers"
    static let bootDisk = "boot"
    /// The program on the disk that it boots from.
    static let agent = "/agent"
    /// Where that disk has room for the machine's control groups.
    static let groups = "/groups"
    /// At which descriptor the kernel finds the private link.
    static let link: Int32 = 3
    private static let interface = "vec0"

    /// More processors than a machine can use: its kernel's, and what its disk and console take.
    static let wholeShare = ResourceLimits(processors: 4)

    /// Memory without a limit of the specification's, in bytes. The node gives only what is touched.
    static let memoryBytes: UInt64 = 512 << 20
    /// With less the kernel and the agent do not fit.
    static let memoryBytesMin: UInt64 = 64 << 20
    /// A kernel cuts a longer command line off.
    private static let commandLineMax = 2000
    /// What of the node appears where the layers have nothing: enough for programs that are linked against its C library.
    static let nodeDirectories = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

    /// The kernel's arguments.
    let arguments: [String]

    /// - Parameter shared: directories of the node, and where they appear.
    init(
        _ specification: EnvironmentSpecification, link: EnvironmentLink, shared: [(node: String, inside: String)]
    ) throws(IsolationError) {
        let limits = specification.limits
        let lengths: [IPAddress.Family: Int] = [.v4: 30, .v6: 126]
        let ports = EphemeralPorts.environments
        var addresses = link.addresses.all.map { "\($0)/\(lengths[$0.family] ?? 0)" }
        if link.addresses[.v6] != nil { addresses.append("fe80::2/64") }
        let memory = max(limits.memoryBytes ?? Self.memoryBytes, Self.memoryBytesMin)
        var arguments = [
            "mem=\(memory >> 20)M", "ubd0r=\(Self.bootDisk)", "ubd1=\(Self.disk),\(Self.layers)", "root=/dev/ubda",
            "ro",
            "rootfstype=ext4", "init=\(Self.agent)", "con=null", "con0=null,fd:1",
            "umid=\(ManagementConsole.name)", "uml_dir=.", "mconsole=notify:\(ManagementConsole.notices)",
            "vec0:transport=fd,fd=\(Self.link),vec=0", "quiet", "selinux=0", "seccomp=auto", "--", "boot",
            "disk=/dev/ubdb", "interface=\(Self.interface)", "hostname=\(specification.name)",
            "address=\(addresses.joined(separator: ","))",
            "gateway=\(link.gateways.all.map(\.description).joined(separator: ","))",
            "mtu=\(EnvironmentLink.packetBytesMax)", "ports=\(ports.lowerBound)-\(ports.upperBound)",
        ]
        if let tasks = limits.tasks { arguments.append("tasks=\(tasks)") }
        arguments += shared.map { "share=\($0.node):\($0.inside)" }
        for path in shared.map(\.node) where path.contains(where: { $0.isWhitespace || $0 == ":" }) {
            throw IsolationError("a machine cannot be shown \(path): move it to a path without spaces and colons")
        }
        guard arguments.joined(separator: " ").utf8.count <= Self.commandLineMax else {
            throw IsolationError("the command line of the machine is too long: shorten the node's paths")
        }
        self.arguments = arguments
    }
}
