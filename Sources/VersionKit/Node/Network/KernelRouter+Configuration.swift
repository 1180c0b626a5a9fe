import Logging
import VersionKitKernel
import VersionKitModel

extension KernelRouter {
    /// The router's kernel part as the configuration wants it: the best kind that the node allows, or exactly one.
    ///
    /// - Parameters:
    ///   - host: what versions in the node's own network are kept apart by.
    ///   - handover: what the versiond before carried traffic by.
    /// - Throws: ``NodeError`` if the configuration names ports that make no sense.
    init(
        _ configuration: NodeConfiguration, networks: HostAddresses, host: HostVersions?,
        resuming handover: Handover?, started: ContinuousClock.Instant, logger: Logger
    ) throws {
        let kinds: [KernelPathKind] =
            switch configuration.kernelPath ?? .auto {
            case .auto: [.ebpf, .nftables]
            case .ebpf: [.ebpf]
            case .nftables: [.nftables]
            case .none: []
            }
        let range = try Self.range(configuration.directPorts)
        let problem = DirectPortRange.problem(with: range)
        var path: (any KernelPath)?
        var missing: [KernelPathKind: String] = [:]
        for kind in kinds where path == nil {
            do throws(KernelPathError) {
                if let problem { throw KernelPathError(problem) }
                path = try Self.make(kind, configuration, networks: networks, resuming: handover?.path)
            } catch {
                missing[kind] = error.reason
                logger.notice("no fast path by \(kind.rawValue)", metadata: ["reason": "\(error)"])
            }
        }
        let hostPath = kinds.isEmpty || problem != nil ? nil : host?.path
        if let reason = host?.missing { missing[.cgroup] = reason }
        // Another kind of path is wanted now.
        if let left = handover?.path, path?.kind != left.kind { left.discard() }
        if host == nil { handover?.hostPath?.discard() }
        self.init(
            path: path, hostPath: hostPath,
            hasResumedPath: handover.map { $0.path?.kind == path?.kind && $0.hostPath?.kind == hostPath?.kind }
                ?? false,
            missing: missing, range: range,
            file: configuration.state + "/direct-ports.json",
            now: { ContinuousClock.now - started }, note: { logger.warning("\($0)") })
    }

    private static func make(
        _ kind: KernelPathKind, _ configuration: NodeConfiguration, networks: HostAddresses,
        resuming handover: KernelPathHandover?
    ) throws(KernelPathError) -> any KernelPath {
        let addresses = configuration.address
        switch kind {
        case .ebpf:
            var left: BPFPath.Handover?
            if case .ebpf(let handover) = handover { left = handover }
            let wire = try NetworkInterface.holding(addresses.primary)
            for address in addresses.all where try NetworkInterface.holding(address) != wire {
                throw KernelPathError("the node's addresses are on different interfaces", isUnsupported: true)
            }
            return try BPFPath(host: addresses, wire: wire, resuming: left)
        case .nftables:
            var left: NFTablesPath.Handover?
            if case .nftables(let handover) = handover { left = handover }
            return try NFTablesPath(addresses: addresses, environmentNetworks: networks, resuming: left)
        case .cgroup: throw KernelPathError("it carries versions in the node's own network only", isUnsupported: true)
        }
    }

    /// The direct ports that a configuration names, or those by default.
    static func range(_ text: String?) throws -> ClosedRange<UInt16> {
        guard let text else { return portsDefault }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard parts.count == 2, let first = parts[0], let last = parts[1], first > 0, first <= last else {
            throw NodeError("directPorts: '\(text)' is not a range of ports such as 10001-11000")
        }
        return first...last
    }
}
