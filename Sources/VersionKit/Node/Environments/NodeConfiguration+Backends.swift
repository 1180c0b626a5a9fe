import VersionKitIsolation
import VersionKitModel

extension NodeConfiguration {
    /// What is used if nobody says otherwise: it needs nothing but the kernel.
    static let isolationDefault: [IsolationKind] = [.namespaces]

    /// A backend for each kind of environment that is configured, each with a directory of its own.
    ///
    /// - Parameter host: what keeps versions in the node's own network apart.
    func backends(_ networks: HostAddresses, host: HostVersions? = nil) throws(NodeError) -> [any IsolationBackend] {
        var backends: [any IsolationBackend] = []
        for kind in isolation ?? Self.isolationDefault {
            let directory = "\(state)/environments/\(kind)"
            switch kind {
            case .namespaces: backends.append(NamespaceBackend(directory: directory, networks: networks))
            case .process:
                backends.append(ProcessBackend(directory: directory, sockets: host?.path == nil ? nil : host))
            case .oci: backends.append(OCIBackend(directory: directory, networks: networks, criu: [criu ?? "criu"]))
            case .uml: backends.append(UMLBackend(directory: directory, networks: networks))
            case .xen:
                guard let xen else { throw NodeError("isolation: xen needs a kernel and a ramdisk: see xen") }
                backends.append(XenBackend(directory: directory, networks: networks, settings: xen))
            default: throw NodeError("isolation: '\(kind)' is no kind of environment; see docs/isolation.md")
            }
        }
        return backends
    }
}
