package import VersionKitModel

/// Keeps the sockets of a version that has the node's own network to the version's address, where the kernel can do that.
package protocol SocketKeeper: Sendable {
    /// From now on the sockets of a control group obey this address; what was said of the group before is replaced.
    ///
    /// - Parameter group: the directory of a control group of version 2.
    func keep(_ group: String, at address: IPAddress) throws(IsolationError)
}

/// Where this machine has its control groups of version 2.
package enum UnifiedControlGroups {
    /// The directory; `nil` if there are none.
    package static var directory: String? { CgroupMounts.current().unified?.path }
}
