import Foundation
import Testing
import VersionKitModel

@testable import VersionKitIsolation

/// A backend that the conformance suite runs against, and what it may expect of it.
struct TestedBackend: Sendable, CustomTestStringConvertible {
    let kind: IsolationKind
    /// What it is made with, where there is a choice.
    var variant = ""
    /// The snapshots that environments have here.
    var snapshots: Set<SnapshotLevel> = []
    /// Whether limits of memory and tasks hold.
    var hasLimits = false
    /// Whether a share of processors can be had, and holds; if not, it is refused.
    var hasShares = false
    /// Whether what environments write goes to the file system of the backend's directory as it is.
    var sharesDisk = false
    /// Whether disk space can be limited to the byte.
    var hasDiskLimit = false
    /// Whether a version can be another user than root.
    var hasUsers = false
    /// How long an application inside may take to answer.
    var answerSeconds = 1
    /// A backend with its data in this directory.
    let make: @Sendable (_ directory: String) async throws -> any IsolationBackend

    var testDescription: String { variant.isEmpty ? kind.rawValue : "\(kind) by \(variant)" }

    /// All that this machine is to have. A Xen host has nothing else to run others with; an ordinary user has no control
    /// groups, without which runc does not work.
    static let all =
        access("/proc/xen/privcmd", F_OK) == 0
        ? [xen] : [process, namespaces, crun] + (hasControlGroups ? [runc] : []) + [uml]
    /// Those that an OCI runtime makes.
    static let containers = all.filter { $0.kind == .oci }

    static let networks = HostAddresses(IPAddress(v4: 10 << 24 | 77 << 16))
    static let hasControlGroups = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].contains {
        access($0 + "/cgroup.procs", W_OK) == 0
    }

    static let hasDisks = LimitedDisk.obstacle == nil

    static let process = TestedBackend(
        kind: .process, snapshots: [.files], hasLimits: Cgroup.obstacle == nil, hasShares: Cgroup.obstacle == nil,
        sharesDisk: true
    ) { ProcessBackend(directory: $0) }

    /// A directory for each test, and so domains of its own. All is emulated there.
    static let xen = TestedBackend(kind: .xen, snapshots: [.files, .memory], answerSeconds: 10) {
        var settings = XenSettings.emulated
        settings.namePrefix = $0.split(separator: "/").joined(separator: "-") + "-"
        return XenBackend(directory: $0, networks: networks, settings: settings)
    }

    static let namespaces = TestedBackend(
        kind: .namespaces, snapshots: [.files], hasLimits: Cgroup.obstacle == nil, hasShares: Cgroup.obstacle == nil,
        sharesDisk: true, hasDiskLimit: hasDisks
    ) {
        NamespaceBackend(directory: $0, networks: networks)
    }

    static let crun = TestedBackend(
        kind: .oci, variant: "crun", snapshots: [.files], hasLimits: hasControlGroups, hasShares: hasControlGroups,
        sharesDisk: true, hasDiskLimit: hasDisks, hasUsers: OwnerMapping.current().isSeparate
    ) {
        OCIBackend(directory: $0, networks: networks, runtimes: [.crun])
    }

    static let runc = TestedBackend(
        kind: .oci, variant: "runc", snapshots: [.files, .memory], hasLimits: hasControlGroups,
        hasShares: hasControlGroups,
        sharesDisk: true, hasDiskLimit: hasDisks, hasUsers: OwnerMapping.current().isSeparate
    ) {
        OCIBackend(directory: $0, networks: networks, runtimes: [.runc], criu: [criu])
    }

    /// What `scripts/setup --tests` has built.
    static let criu = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build/criu/criu").standardized.path

    static let uml = TestedBackend(
        kind: .uml, snapshots: [.files], hasLimits: true, hasShares: Cgroup.obstacle == nil, hasUsers: true
    ) {
        UMLBackend(directory: $0, networks: networks)
    }
}

extension XenSettings {
    /// For the host of scripts/xen: what is in its dom0, and what makes domains start quickest where all is emulated.
    static var emulated: XenSettings {
        var settings = XenSettings(kernel: "/guest/vmlinux", ramdisk: "/guest/guest.cpio")
        settings.kernelArguments = ["mitigations=off", "rodata=off", "cryptomgr.notests", "apparmor=0"]
        (settings.memoryBytes, settings.diskBytes) = (128 << 20, 64 << 20)
        (settings.interfaceScript, settings.diskScript) = ("vif-quick", "block-quick")
        settings.bootSeconds = 300
        return settings
    }
}
