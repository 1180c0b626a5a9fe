import Glibc
import VersionKitModel

/// The configuration of an environment, which is the same for every runtime.
///
/// What runs inside is nobody on the node: root of a user namespace, with no capability there but that the agent can give
/// up all of them for whatever it starts. The kernel's files are hidden or read-only, and the calls with which namespaces,
/// mounts and modules are made are refused.
extension OCIConfiguration {
    /// Where the agent is inside.
    static let agentInside = "/run/tools/agent"
    /// Where an agent that does not inherit its socket makes it, in a directory that is the node's, too; and where its log is.
    private static let meetingInside = "/run/agent"
    private static let logInside = "/run/agent.log"
    /// Of the temporary file systems, each.
    private static let temporaryBytesMax = 64 << 20

    /// - Parameters:
    ///   - stage: where `versionkit-environment container` mounts what the container is made of.
    ///   - cgroup: the container's control group, if there can be one.
    ///   - isKeepable: whether nothing in it is to be the node's that its memory could not be kept with.
    init(
        _ specification: EnvironmentSpecification, owners: OwnerMapping, stage: String, cgroup: String?,
        isKeepable: Bool = false
    ) {
        hostname = specification.name
        root = Root(path: stage + "/root", readonly: specification.hasReadOnlyRoot)
        var capabilities = ["CAP_SETPCAP"]
        if specification.user?.isRoot == false {
            // The agent, which is root, has to become the version's user, and to end what is another's.
            capabilities += ["CAP_SETUID", "CAP_SETGID", "CAP_KILL"]
        }
        process = Process(
            args: [Self.agentInside]
                + (isKeepable
                    ? ["contained", "\(Self.meetingInside)/\(Place.meetingName)", Self.logInside] : ["agent"]),
            env: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
            capabilities: Capabilities(bounding: capabilities, effective: capabilities, permitted: capabilities))
        mounts = Self.kernelMounts + Self.temporaryMounts
        // Elsewhere it is a directory like any other.
        if specification.hasReadOnlyRoot { mounts.append(Self.temporaryMount("/var/tmp", "1777")) }
        mounts += Self.nodeMounts(specification, stage: stage)
        if isKeepable {
            mounts += [("in", Self.meetingInside), ("log", Self.logInside)].map { Self.bind("\(stage)/\($0)", $1) }
            // CRIU has to be told of every mount, which the runtime does of those that it makes.
            if !Stage.bringsSystem(specification) { mounts += Self.hostMounts }
        }
        let mapping = IDMapping(containerID: 0, hostID: owners.first, size: owners.count)
        linux = Linux(
            namespaces: ["user", "mount", "network", "pid", "uts", "ipc", "cgroup"].map { Namespace(type: $0) },
            uidMappings: [mapping], gidMappings: [mapping], cgroupsPath: cgroup.map { "/\($0)" },
            resources: cgroup == nil ? Resources() : Resources(specification.limits), seccomp: .environment,
            maskedPaths: [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
            ],
            readonlyPaths: [
                "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
            ])
    }

    private static let kernelMounts = [
        Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
        Mount(
            destination: "/dev", type: "tmpfs", source: "tmpfs",
            options: ["nosuid", "strictatime", "mode=755", "size=64k"]),
        Mount(
            destination: "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
        Mount(
            destination: "/dev/shm", type: "tmpfs", source: "shm",
            options: ["nosuid", "noexec", "nodev", "mode=1777", "size=\(temporaryBytesMax)"]),
    ]

    private static let temporaryMounts = [temporaryMount("/tmp", "1777"), temporaryMount("/run", "755")]

    private static func temporaryMount(_ path: String, _ mode: String) -> Mount {
        Mount(
            destination: path, type: "tmpfs", source: "tmpfs",
            options: ["nosuid", "nodev", "mode=\(mode)", "size=\(temporaryBytesMax)"])
    }

    /// What is read-only of these is so at its source already.
    private static func nodeMounts(_ specification: EnvironmentSpecification, stage: String) -> [Mount] {
        var sources = [
            ("/run/versionkit", "run"), (EnvironmentTools.versionctlInside, "versionctl"), (agentInside, "agent"),
        ]
        if specification.tools.runtime != nil { sources.append(("/run/runtime", "runtime")) }
        if let path = specification.dataPath { sources.append((path, "own/data")) }
        return sources.map { bind("\(stage)/\($1)", $0) }
    }

    /// The host's programs and libraries, as far as they are no links to each other.
    private static var hostMounts: [Mount] {
        ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"].filter(isDirectory).map {
            Mount(destination: $0, type: "bind", source: $0, options: ["bind", "ro", "nosuid", "nodev"])
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func bind(_ source: String, _ destination: String) -> Mount {
        Mount(destination: destination, type: "bind", source: source, options: ["bind"])
    }
}

extension OCIConfiguration.Resources {
    private static let processorPeriod = 100_000
    /// The kernel's least quota, in microseconds.
    private static let quotaMin = 1000.0

    /// The limits as control groups have them. No device but those that every container has.
    init(_ limits: ResourceLimits) {
        devices = [OCIConfiguration.DeviceRule(allow: false, access: "rwm")]
        memory = limits.memoryBytes.map { OCIConfiguration.Memory(limit: $0) }
        cpu = limits.processors.map {
            OCIConfiguration.Processors(
                quota: Int(max($0 * Double(Self.processorPeriod), Self.quotaMin)), period: Self.processorPeriod)
        }
        pids = limits.tasks.map { OCIConfiguration.Tasks(limit: $0) }
    }
}
