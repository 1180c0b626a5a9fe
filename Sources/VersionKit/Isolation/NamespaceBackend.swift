import CLinux
import Glibc
public import VersionKitModel
import VersionKitProcesses

/// Environments out of Linux namespaces and an overlay file system. Needs root, or to be root of a user namespace.
public struct NamespaceBackend: IsolationBackend {
    /// Where the environments' data are, one directory each.
    private let directory: String
    /// The program `versionkit-environment`.
    private let helper: String
    /// The network that the environments' addresses are out of, four to an environment.
    private let network: IPv4Address

    /// A backend.
    ///
    /// - Parameters:
    ///   - directory: where the environments' data go; made if it does not exist.
    ///   - helper: the path of the program `versionkit-environment`.
    ///   - network: the first address of a /16 that is used nowhere else on this node.
    public init(directory: String, helper: String, network: IPv4Address) {
        self.directory = directory
        self.helper = helper
        self.network = network
    }

    public func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {
        if !keepsData { try await remove(specification) }
        let place = Place(directory, specification)
        for path in [directory, place.base, place.upper, place.root, specification.runDirectory] { try make(path) }
        // The kernel wants the work directory empty, and leaves things behind that only removing clears.
        try await removeTree(place.work)
        try make(place.work)
    }

    public func create(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = Place(directory, specification)
        var arguments = [
            "lower=\(specification.layers.joined(separator: ":"))", "upper=\(place.upper)", "work=\(place.work)",
            "root=\(place.root)", "run=\(specification.runDirectory)", "hostname=\(specification.name)",
            "versionctl=\(specification.tools.versionctl)",
        ]
        if let runtime = specification.tools.runtime { arguments.append("runtime=\(runtime)") }
        let link = EnvironmentLink(network: network, slot: specification.slot)
        let initProcess = try InitProcess(helper: helper, arguments: arguments, log: place.log)
        let environment = NamespaceEnvironment(process: initProcess, link: link, place: place)
        do throws(IsolationError) {
            try await initProcess.expect("created", what: "create the environment")
            try await link.connect(processID: initProcess.id)
        } catch {
            await environment.stop(.immediate)
            throw error
        }
        return environment
    }

    public func remove(_ specification: EnvironmentSpecification) async throws(IsolationError) {
        try await removeTree(Place(directory, specification).base)
    }

    private func make(_ path: String) throws(IsolationError) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw IsolationError("make the directory \(path): \(String(cString: strerror(errno)))")
        }
    }

    private func removeTree(_ path: String) async throws(IsolationError) {
        try await execute("rm", ["-rf", "--one-file-system", path])
    }
}

/// Where an environment's files are.
struct Place: Sendable {
    let base: String
    var upper: String { base + "/upper" }
    var work: String { base + "/work" }
    var root: String { base + "/root" }
    var log: String { base + "/log" }

    init(_ directory: String, _ specification: EnvironmentSpecification) {
        base = "\(directory)/\(specification.name)"
    }
}

/// Runs a program that has to succeed.
func execute(
    _ program: String, _ arguments: [String], input: String = "", networkNamespace: Int32? = nil
) async throws(IsolationError) {
    let result: Command.Result
    do throws(SystemError) {
        result = try await Command.run(program, arguments, input: input, networkNamespace: networkNamespace)
    } catch {
        throw IsolationError("\(error)")
    }
    guard result.exit.isSuccess else {
        throw IsolationError("\(program) ended with \(result.exit): \(result.output.split(separator: "\n").last ?? "")")
    }
}
