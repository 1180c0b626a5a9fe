import Logging
import VersionKitIsolation
import VersionKitKernel
import VersionKitModel

/// What keeps versions in the node's own network apart, where the kernel can do that: environments of the kind `process`
/// have their sockets kept to their addresses, and get a fast path.
struct HostVersions: SocketKeeper {
    /// `nil` if it cannot be had.
    let path: CgroupPath?
    /// Why it cannot.
    let missing: String?

    /// Tries it, if the node may have such environments.
    ///
    /// - Parameter handover: what the versiond before had. It is used up.
    init?(_ configuration: NodeConfiguration, resuming handover: KernelPathHandover?, logger: Logger) {
        guard (configuration.isolation ?? NodeConfiguration.isolationDefault).contains(.process) else { return nil }
        var left: CgroupPath.Handover?
        if case .cgroup(let handover) = handover { left = handover }
        do throws(KernelPathError) {
            guard let groups = UnifiedControlGroups.directory else {
                throw KernelPathError("there are no control groups of version 2; mount them", isUnsupported: true)
            }
            let address = configuration.address[.v4] ?? configuration.address.primary
            path = try CgroupPath(
                host: configuration.address, wire: try NetworkInterface.holding(address), groups: groups, resuming: left
            )
            missing = nil
        } catch {
            (path, missing) = (nil, error.reason)
            logger.notice("versions in the node's own network are not kept apart", metadata: ["reason": "\(error)"])
        }
    }

    func keep(_ group: String, at address: IPAddress) throws(IsolationError) {
        do throws(KernelPathError) { try path?.attach(address, to: group) } catch { throw IsolationError(error.reason) }
    }
}
