import CLinux
import Glibc
public import VersionKitModel
import VersionKitProcesses

/// Environments with a kernel of their own, User Mode Linux, which is an ordinary process of the node. Needs the right to
/// add interfaces; the kernel's process itself needs no rights at all (docs/isolation-uml.md).
public struct UMLBackend: IsolationBackend {
    /// The kernel of the package user-mode-linux.
    public static let standardKernel = "/usr/bin/linux.uml"
    /// What a version may write without a limit of its specification's, in bytes.
    static let diskBytes: UInt64 = 4 << 30
    /// How long a machine may take until its agent listens, on a node that has much to do.
    private static let bootLimit = Duration.seconds(90)
    /// How long an agent that listens may take to answer.
    private static let connectLimit = Duration.seconds(20)
    /// How long a machine may take to write everything to its disk before it is made to end.
    static let powerOffLimit = Duration.seconds(10)

    let directory: String
    let networks: HostAddresses
    let kernel: String
    private var images: DiskImages { DiskImages(directory: directory + "/.images") }

    public var kind: IsolationKind { .uml }

    /// A backend.
    ///
    /// - Parameters:
    ///   - directory: where the environments' disks go; made if it does not exist.
    ///   - networks: for each kind of address that environments are to have, the first address of a network that is used
    ///     nowhere else on this node: a /16 of IPv4, a /64 of IPv6.
    ///   - kernel: the path of a User Mode Linux kernel, 6.1 or later. Later ones are faster.
    public init(directory: String, networks: HostAddresses, kernel: String = UMLBackend.standardKernel) {
        self.directory = directory
        self.networks = networks
        self.kernel = kernel
    }

    public func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {
        let place = place(of: specification)
        if keepsData { try await end(specification) } else { try await destroy(specification.name) }
        try layOut(specification, place)
        if access(place.layers, F_OK) != 0 {
            try await images.link(.layers(of: specification), at: place.layers)
        }
        if access(place.disk, F_OK) != 0 { try CopyOnWriteDisk.make(at: place.disk, over: place.layers) }
        try await addBootDisk(specification, place)
        try own(place, specification)
    }

    public func restore(_ specification: EnvironmentSpecification, from directory: String) async throws(IsolationError)
    {
        let place = place(of: specification)
        let snapshot = MachineSnapshot(directory: directory)
        try await destroy(specification.name)
        try layOut(specification, place)
        try await snapshot.restore(to: place)
        try await addBootDisk(specification, place)
        try own(place, specification)
    }

    public func create(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = place(of: specification)
        let link = link(specification)
        // What of the limits the node holds; the others are the machine's own.
        let share = ResourceLimits(processors: specification.limits.processors)
        do throws(IsolationError) {
            try Cgroup(of: place).makeDirectories(for: share)
            try await boot(specification, place, link)
            let connection = try await connect(to: link, place)
            try holdShare(share, place)
            return environment(connection, specification)
        } catch {
            try? await Self.end(place)
            throw IsolationError("\(error)\n\(logTail(of: place.log))")
        }
    }

    /// Connects to an agent that listens. On a busy node the first packets may be late, or lost.
    private func connect(to link: EnvironmentLink, _ place: Place) async throws(IsolationError) -> AgentConnection {
        let deadline = ContinuousClock.now + Self.connectLimit
        while place.process.pid != nil, ContinuousClock.now < deadline {
            if let connection = try await AgentConnection.open(link.machineAgent) { return connection }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw IsolationError("the machine's agent does not answer at \(link.addresses.primary)")
    }

    public func adopt(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> (any IsolationEnvironment)? {
        guard let environment = try await running(specification), await environment.connection.hasStarted() else {
            return nil
        }
        return environment
    }

    public func names() async throws(IsolationError) -> Set<String> {
        Set(try namesOfFiles(in: directory).filter { !$0.hasPrefix(".") })
    }

    public func destroy(_ name: String) async throws(IsolationError) {
        let place = Place(directory, name)
        try await Self.end(place)
        try await removeTree(place.base)
        try await images.sweep()
    }

    /// Ends what an earlier process has left running, without losing what it wrote.
    private func end(_ specification: EnvironmentSpecification) async throws(IsolationError) {
        if let environment = try? await running(specification) { await environment.stop(.standard) }
        try await Self.end(place(of: specification))
    }

    private static func end(_ place: Place) async throws(IsolationError) {
        try await place.machineProcess.kill()
        try await Cgroup(of: place).remove()
    }

    /// Not before it has booted: on a small share that takes longer than anybody waits.
    private func holdShare(_ share: ResourceLimits, _ place: Place) throws(IsolationError) {
        guard share.processors != nil else { return }
        let group = Cgroup(of: place)
        // The kernel was put there when it began; what it had started by then was not. What has just ended is not missed.
        for pid in place.machineProcess.all() { try? group.add(pid) }
        try group.hold(share)
    }

    /// An earlier process's environment. One that was paused goes on: its agent could not say anything.
    private func running(_ specification: EnvironmentSpecification) async throws(IsolationError) -> UMLEnvironment? {
        let place = place(of: specification)
        guard place.process.pid != nil else { return nil }
        // One that is just ending does not answer, and has no agent either.
        _ = try? await place.console.ask(.go)
        guard let connection = try await AgentConnection.open(link(specification).machineAgent) else { return nil }
        return environment(connection, specification)
    }

    private func environment(
        _ connection: AgentConnection, _ specification: EnvironmentSpecification
    ) -> UMLEnvironment {
        let place = place(of: specification)
        place.machineProcess.endWithMachine(connection)
        return UMLEnvironment(connection: connection, link: link(specification), place: place)
    }

    /// Switches the machine on, and waits until its agent listens.
    private func boot(
        _ specification: EnvironmentSpecification, _ place: Place, _ link: EnvironmentLink
    ) async throws(IsolationError) {
        let machine = try UMLMachine(specification, link: link, shared: Self.shared(specification))
        let notices = try await place.console.listen()
        defer { close(notices) }
        let frames = try await link.openFrames()
        try await start([kernel] + machine.arguments, UMLUser(slot: specification.slot), frames: frames, place)
        guard let pidfd = place.machineProcess.open() else {
            throw IsolationError("the machine's kernel ended at once")
        }
        defer { close(pidfd) }
        try await place.console.waitForNotice(notices, pidfd: pidfd, limit: Self.bootLimit)
    }

    /// Starts the kernel, which is nobody's child, so that it outlives this process. It alone has the link afterwards, which
    /// is gone when it is.
    private func start(
        _ command: [String], _ user: UMLUser?, frames: Int32, _ place: Place
    ) async throws(IsolationError) {
        defer { close(frames) }
        let script = """
            cd "$1"
            shift
            ulimit -c 0
            setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/dev/shm "$@" </dev/null >>../log 2>&1 &
            echo $!
            """
        let result: Command.Result
        do throws(SystemError) {
            result = try await Command.run(
                "sh", ["-ec", script, "sh", place.machine] + UMLUser.command(user) + command,
                descriptors: [UMLMachine.link: frames])
        } catch {
            throw IsolationError("\(error)")
        }
        guard let pid = pid_t(result.output.split(separator: "\n").last ?? "") else {
            throw IsolationError("the machine's kernel cannot be started: \(result.output)")
        }
        try place.process.record(pid)
        try Cgroup(of: place).add(pid)
    }

    private func layOut(_ specification: EnvironmentSpecification, _ place: Place) throws(IsolationError) {
        for path in [directory, place.base, place.machine, specification.runDirectory] { try make(path) }
    }

    /// The agent is that of this process, whichever made the environment's disk.
    private func addBootDisk(_ specification: EnvironmentSpecification, _ place: Place) async throws(IsolationError) {
        unlink(place.bootDisk)
        try await images.link(await .bootDisk(of: specification, kernel: kernel), at: place.bootDisk)
    }

    private func own(_ place: Place, _ specification: EnvironmentSpecification) throws(IsolationError) {
        // What an earlier machine left, its sockets among it, is in the way, or another user's.
        guard chmod(place.machine, 0o700) == 0 else { throw .system("protect \(place.machine)") }
        guard let user = UMLUser(slot: specification.slot) else { return }
        try user.own(place.machine)
        if access(place.disk, F_OK) == 0 { try user.own(place.disk) }
    }

    private func place(of specification: EnvironmentSpecification) -> Place { Place(directory, specification.name) }

    private func link(_ specification: EnvironmentSpecification) -> EnvironmentLink {
        EnvironmentLink(networks: networks, slot: specification.slot)
    }

    /// What of the node machines are shown: what its programs need, and VersionKit's own.
    private static func shared(_ specification: EnvironmentSpecification) -> [(node: String, inside: String)] {
        let tools = specification.tools
        let directories = UMLMachine.nodeDirectories.filter { isDirectory($0) }
        var shared = directories.map { (node: $0, inside: $0) }
        let versionctl = tools.versionctl.split(separator: "/").dropLast().joined(separator: "/")
        shared.append(("/" + versionctl, "/run/tools"))
        if let runtime = tools.runtime { shared.append((runtime, "/run/runtime")) }
        shared.append((specification.runDirectory, "/run/versionkit"))
        return shared
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
