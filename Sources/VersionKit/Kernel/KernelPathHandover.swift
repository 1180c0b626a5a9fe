/// What a fast path leaves to the program that this process executes next.
package enum KernelPathHandover: Sendable, Codable {
    case ebpf(BPFPath.Handover)
    case nftables(NFTablesPath.Handover)
    case cgroup(CgroupPath.Handover)

    /// What it is made of.
    package var kind: KernelPathKind {
        switch self {
        case .ebpf: .ebpf
        case .nftables: .nftables
        case .cgroup: .cgroup
        }
    }

    /// Ends what was handed over, where no such path is wanted any more.
    package func discard() {
        switch self {
        case .ebpf(let handover): handover.discard()
        case .nftables(let handover): handover.discard()
        case .cgroup(let handover): handover.discard()
        }
    }
}

extension BPFPath {
    package func leave() -> KernelPathHandover? { handOver().map { .ebpf($0) } }
}

extension NFTablesPath {
    package func leave() -> KernelPathHandover? { .nftables(handOver()) }
}
