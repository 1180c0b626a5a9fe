import VersionKitIsolation
import VersionKitModel

extension Kind {
    private static let networks = HostAddresses(IPAddress(v4: 10 << 24 | 77 << 16))

    /// The backend of this kind, with its data in this directory.
    ///
    /// - Parameter criu: where CRIU is, if not in the usual directories.
    func backend(_ directory: String, criu: String? = nil) throws -> any IsolationBackend {
        switch self {
        case .namespaces: NamespaceBackend(directory: directory, networks: Self.networks)
        case .process: ProcessBackend(directory: directory)
        case .crun: OCIBackend(directory: directory, networks: Self.networks, runtimes: [.crun])
        case .runc: OCIBackend(directory: directory, networks: Self.networks, runtimes: [.runc], criu: [criu ?? "criu"])
        case .uml: UMLBackend(directory: directory, networks: Self.networks)
        case .native, .veth, .crunByHand, .runcByHand, .criu: throw BenchFailure("\(rawValue) is no environment")
        }
    }

    /// The kind of environment that is done by hand; `nil` if it is none.
    var model: Kind? {
        switch self {
        case .crunByHand: .crun
        case .runcByHand: .runc
        default: nil
        }
    }

    /// Whether its snapshots are to have the memory.
    var keepsMemory: Bool { self == .runc }

    /// Memory that an environment is given, in bytes: a machine has to have some, and its pages are not the node's.
    var limits: ResourceLimits { ResourceLimits(memoryBytes: self == .uml ? 128 << 20 : nil) }
}
