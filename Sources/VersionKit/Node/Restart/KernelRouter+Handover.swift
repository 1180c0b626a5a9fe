package import VersionKitKernel
package import VersionKitRouter

/// Hot restart: what is known of peers' routes stays known.
extension KernelRouter {
    /// What the versiond that this one executes needs. Times are those of the node, which go on.
    package struct Handover: Sendable, Codable {
        /// The routes in use, with the times at which they are forgotten.
        package var routes: DirectRoutes
        /// What serves: peers need hear nothing new if it is the same behind the execution.
        package var served: Set<Serving>
        /// What the kernel refused.
        package var failures: UInt64
        /// The ports that lead straight to versions.
        var opened: [DirectPorts.Key: Opened]
        /// What carries it all.
        package var path: KernelPathHandover?
        /// What carries the traffic of versions in the node's own network.
        package var hostPath: KernelPathHandover?
    }

    /// The router for the versiond that this one executes; `nil` without a fast path.
    package func handOver() -> Handover? {
        guard path != nil || hostPath != nil else { return nil }
        return Handover(
            routes: routes, served: served, failures: failures, opened: opened, path: path?.leave(),
            hostPath: hostPath?.leave())
    }

    /// Goes on where the versiond before was.
    ///
    /// A path that did not take over what the one before carried has its ports opened, and is told of the routes, with the
    /// next ``update(_:)``.
    package func resume(_ handover: Handover) {
        guard path != nil || hostPath != nil else { return }
        (routes, served, failures) = (handover.routes, handover.served, handover.failures)
        if hasResumedPath { opened = handover.opened } else { isResuming = true }
    }
}
