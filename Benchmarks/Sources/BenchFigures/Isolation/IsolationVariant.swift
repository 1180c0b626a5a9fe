/// What is compared of environments: kinds, ways to keep one, and what is there without any.
package enum IsolationVariant: String, Sendable, CaseIterable {
    case process
    case namespaces
    case crun = "oci (crun)"
    case runc = "oci (runc)"
    case uml
    case native = "the node itself"
    case veth = "a namespace by hand"
    case crunByHand = "crun by hand"
    case runcByHand = "runc by hand"
    case copied = "files copied"
    case reflinks = "files as reflinks"
    case subvolume = "files as a btrfs snapshot"
    case criu = "memory by CRIU and runc"
    case memory = "memory and files (oci)"
    case machineDisk = "the disk of uml"
    /// Not measured here: a file has its rows.
    case xen
    /// Not measured at all: the paper's figures.
    case paper = "the paper (766 MHz)"

    /// What the driver calls it, with the file system that it is to be on; `nil`: it does not measure it.
    package var words: [String]? {
        switch self {
        case .process, .namespaces, .uml: [rawValue]
        case .crun: ["crun"]
        case .runc: ["runc"]
        case .native: ["native"]
        case .veth: ["veth"]
        case .crunByHand: ["crun-by-hand"]
        case .runcByHand: ["runc-by-hand"]
        case .copied: ["namespaces", "disk=ext4"]
        case .reflinks: ["namespaces", "disk=xfs"]
        case .subvolume: ["namespaces", "disk=btrfs"]
        case .criu: ["criu"]
        case .memory: ["runc"]
        case .machineDisk: ["uml"]
        case .xen, .paper: nil
        }
    }

    /// Environments, from the least isolation to the most.
    package static let environments: [IsolationVariant] = [.process, .namespaces, .crun, .runc, .uml]
    /// Ways to keep an environment.
    package static let snapshots: [IsolationVariant] = [.copied, .reflinks, .subvolume, .criu, .memory, .machineDisk]
}

/// What is measured of environments, by its number.
package enum IsolationMeasure: Int, Sendable, CaseIterable {
    case snapshot = 1
    case life, pause, idle, network, compute

    /// What the driver calls it.
    package var word: String { "\(self)" }

    package var variants: [IsolationVariant] {
        switch self {
        case .snapshot: IsolationVariant.snapshots
        case .life: IsolationVariant.environments + [.crunByHand, .runcByHand]
        case .pause: [.subvolume, .reflinks]
        case .idle: IsolationVariant.environments
        case .network: [.native, .veth] + IsolationVariant.environments
        case .compute: [.native] + IsolationVariant.environments
        }
    }
}
