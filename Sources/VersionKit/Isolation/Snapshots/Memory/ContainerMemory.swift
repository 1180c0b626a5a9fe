import Glibc
import VersionKitProcesses
import VersionKitReleases

/// Keeps the processes of an OCI container as they run, and goes on with them there or elsewhere: CRIU through `runc`.
///
/// A container can be kept if its standard input and output are no files of the node (a pipe or `/dev/null` will do), and
/// none of its processes has a conversation over a Unix socket with one outside. Calls may be made from anywhere, one at a
/// time for each container.
package struct ContainerMemory: Sendable {
    /// What becomes of TCP connections to peers outside.
    package enum Connections: Sendable, Hashable {
        /// They go on. Only where the container has the addresses it had, and nobody else goes on with them.
        case kept
        /// They are closed, as by the peer.
        case closed
    }

    /// What network a container has.
    package enum Network: Sendable, Hashable {
        /// A namespace that its bundle names, by its path: there it is connected before it is restored.
        case named(String)
        /// Its own, which ends with it. A restored one has a new one with nothing in it, to be connected by the caller; so
        /// connections cannot be kept. The only kind for containers with a user namespace.
        case own
    }

    /// `runc`: its path, or a name to be found in the usual directories.
    package var runc: String
    /// The beginning of the command that restores: a program that becomes `runc` where the bundle is to be seen.
    package var prefix: [String] = []
    /// Where `runc` keeps what it knows of its containers.
    package var root: String
    /// The program that does it.
    package var criu: Criu
    /// How long one call may take, cleaning up not included.
    package var limit: Duration

    /// The containers of a directory of `runc`'s.
    package init(runc: String = "runc", root: String, criu: Criu, limit: Duration = .seconds(60)) {
        self.runc = runc
        self.root = root
        self.criu = criu
        self.limit = limit
    }

    /// Keeps a container's processes as they are now. Files are not in it: they are copied while it stands still before or
    /// after, with `runc pause`.
    ///
    /// - Parameters:
    ///   - container: its name.
    ///   - images: the path of a directory that is made; about as large as the memory that the processes use. All users may
    ///     read it, as those of a user namespace need to: the one above should keep others out.
    ///   - keepsRunning: whether they go on. If not, the container has ended afterwards, and its connections wait in
    ///     the network namespace for ``restore(_:bundle:from:connections:network:output:)``.
    ///   - network: the container's.
    ///   - lock: a descriptor that `runc` has, too, for as long as it is at work: it may outlive this process.
    /// - Returns: for how long the processes stood still.
    /// - Throws: if it could not be done. Then the container runs as before; but if the time was up while CRIU was at work
    ///   in its processes, these end, as code that is not theirs is in the middle of them.
    package func dump(
        _ container: String, to images: String, keepsRunning: Bool, network: Network, lock: Int32? = nil
    ) async throws(IsolationError) -> Duration {
        let end = ContinuousClock.now + limit
        for _ in 1..<Self.triesMax {
            do throws(IsolationError) {
                return try await dumpOnce(container, to: images, keepsRunning, network, lock, until: end)
            } catch {
                // It gives up after ten seconds when one of them cannot be stopped, as on a machine whose disk is busy.
                // All is as before then, and the next time it is another moment.
                guard CriuLog.isOfTimeout(error.description) else { throw error }
            }
        }
        return try await dumpOnce(container, to: images, keepsRunning, network, lock, until: end)
    }

    private func dumpOnce(
        _ container: String, to images: String, _ keepsRunning: Bool, _ network: Network, _ lock: Int32?,
        until end: ContinuousClock.Instant
    ) async throws(IsolationError) -> Duration {
        guard mkdir(images, 0o755) == 0 else { throw .system("make the directory \(images)") }
        let namespace = await path(of: network, container)
        do throws(IsolationError) {
            try await run(
                ["checkpoint", "--tcp-established", "--image-path", images, "--work-path", images] + network.options
                    + (keepsRunning ? ["--leave-running"] : []) + [container],
                settings: [], work: images, log: "dump.log", lock: lock, until: end)
        } catch {
            // One that CRIU could not let go of. It fails where there is nothing to do.
            _ = try? await execute(runc, ["--root", root, "resume", container])
            try? await removeNetworkLocks(namespace)
            try? onDisk { () throws(ReleaseError) in try Disk.removeTree(images) }
            throw error
        }
        return CriuStatistics.frozenTime(in: "\(images)/stats-dump") ?? .zero
    }

    /// Goes on with processes that were kept, as a new container; several may do so, each with its own files and network.
    ///
    /// - Parameters:
    ///   - container: the new one's name.
    ///   - bundle: its bundle, in which only the network namespace's path, host name and where the root file system is may
    ///     differ from the one that was dumped; the files are as they were then.
    ///   - images: what ``dump(_:to:keepsRunning:networkNamespace:)`` made; it is left as it is.
    ///   - network: the new container's, of the same kind as the other's.
    ///   - output: a descriptor that takes the place of standard output and error, if these were pipes. `nil`: `/dev/null`.
    ///   - work: a directory that is made anew, for logs; `nil`: in the bundle.
    ///   - processFile: gets the number of the container's first process.
    /// - Throws: if it could not be done. Then there is no such container, and nothing of it in the namespace.
    package func restore(
        _ container: String, bundle: String, from images: String, connections: Connections, network: Network,
        output: Int32? = nil, work: String? = nil, processFile: String? = nil
    ) async throws(IsolationError) {
        let work = work ?? "\(bundle)/restore"
        try onDisk { () throws(ReleaseError) in
            try Disk.removeTree(work)
            try Disk.makeDirectory(work)
        }
        do throws(IsolationError) {
            try await run(
                ["restore", "--detach", "--bundle", bundle, "--image-path", images, "--work-path", work]
                    + (processFile.map { ["--pid-file", $0] } ?? []) + network.options
                    + (connections == .kept ? ["--tcp-established"] : []) + [container],
                prefix: prefix, settings: connections == .closed ? ["tcp-close"] : [], work: work, log: "restore.log",
                output: output)
        } catch {
            _ = try? await execute(runc, ["--root", root, "delete", "--force", container])
            if case .named(let path) = network { try? await removeNetworkLocks(path) }
            throw error
        }
    }

    /// Where the kernel shows a container's network namespace.
    private func path(of network: Network, _ container: String) async -> String {
        if case .named(let path) = network { return path }
        let state = try? await execute(runc, ["--root", root, "state", container])
        let process = state.flatMap {
            try? JSON.decode(State.self, from: Array($0.utf8), what: "the state of \(container)")
        }
        return "/proc/\(process?.pid ?? 0)/ns/net"
    }

    /// What `runc state` prints, as far as it is needed.
    private struct State: Decodable {
        let pid: Int
    }

    /// - Parameters:
    ///   - settings: lines of CRIU's configuration, for what `runc` has no options for.
    ///   - work: where the configuration goes, and CRIU's log of this name.
    private func run(
        _ arguments: [String], prefix: [String] = [], settings: [String], work: String, log: String,
        output: Int32? = nil, lock: Int32? = nil, until end: ContinuousClock.Instant? = nil
    ) async throws(IsolationError) {
        let file = "\(work)/criu.conf"
        // Packets are held back by nftables, in a table of its own: what a failure leaves can be told from all else.
        let lines = (["network-lock nftables"] + settings).map { $0 + "\n" }.joined()
        try onDisk { () throws(ReleaseError) in try Disk.writeAtomically(Array(lines.utf8), to: file, by: work) }
        let left = min(limit, end.map { $0 - .now } ?? limit)
        let seconds = "\(max(0.001, left / .seconds(1)))"
        // Of what its standard descriptors are, the container may be given some: no pipe that somebody reads to its end.
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw .system("open /dev/null") }
        defer { close(null) }
        var descriptors: [Int32: Int32] = [0: null, 1: output ?? null, 2: output ?? null]
        if let lock { descriptors[3] = lock }
        let result: Command.Result
        do throws(SystemError) {
            // `timeout` ends CRIU together with `runc`, which started it.
            result = try await Command.run(
                "env",
                ["CRIU_CONFIG_FILE=\(file)", "timeout", "--kill-after=5", seconds]
                    + prefix + [runc, "--root", root, "--criu", criu.path, "--log", "\(work)/runc.log"] + arguments,
                descriptors: descriptors, limit: limit + Self.endLimit)
        } catch {
            throw IsolationError("\(error)")
        }
        guard !result.exit.isSuccess else { return }
        if result.exit == .code(Self.timedOut) || result.exit == .signal(SIGKILL) {
            throw IsolationError(
                "\(runc) \(arguments[0]) took longer than \(limit) and was ended, perhaps with the processes: "
                    + "give it more time")
        }
        let said = try? Disk.readFile("\(work)/runc.log", bytesMax: Self.logBytesMax)
        let reason = CriuLog.reason(in: "\(work)/\(log)") ?? String(decoding: said ?? [], as: UTF8.self)
        throw IsolationError("\(runc) \(arguments[0]) ended with \(result.exit): \(reason)")
    }

    /// Removes what CRIU holds packets back with in a network namespace, and did not remove itself.
    private func removeNetworkLocks(_ path: String) async throws(IsolationError) {
        let namespace = open(path, O_RDONLY | O_CLOEXEC)
        guard namespace >= 0 else { throw .system("open \(path)") }
        defer { close(namespace) }
        let tables = try await execute("nft", ["list", "tables"], networkNamespace: namespace)
        for table in Self.locks(inTables: tables) {
            try await execute("nft", ["delete", "table"] + table, networkNamespace: namespace)
        }
    }

    /// Which of the tables that `nft list tables` prints are CRIU's: family and name.
    static func locks(inTables text: String) -> [[String]] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            return words.count == 3 && words[0] == "table" && words[2].hasPrefix("CRIU-") ? Array(words[1...]) : nil
        }
    }

    /// How often it is tried to stop processes.
    private static let triesMax = 3
    /// The exit code of `timeout` when the time was up.
    private static let timedOut: Int32 = 124
    /// How long `timeout` may take to make programs end.
    private static let endLimit = Duration.seconds(10)
    private static let logBytesMax = 64 << 10
}

extension ContainerMemory.Network {
    /// For `runc checkpoint` and `runc restore`.
    fileprivate var options: [String] { self == .own ? ["--empty-ns", "network"] : [] }
}
