import CLinux
import Foundation
import Synchronization
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// Containers in which `memory-service` runs, each with an overlay and a network of its own, and what keeps their memory.
final class Containers {
    private static let numbers = Atomic(0)

    let folder: String
    let memory: ContainerMemory
    private let lower: String
    private let kind: Container.Kind

    init(_ kind: Container.Kind, limit: Duration) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        folder = FileManager.default.temporaryDirectory.appending(path: "containers-\(UUID().uuidString)").path
        lower = "\(folder)/lower"
        self.kind = kind
        try await sh("mkdir -p '\(lower)/bin'; cp '\(Programs.path("memory-service"))' '\(lower)/bin'")
        memory = ContainerMemory(root: "\(folder)/runc", criu: try await criu(), limit: limit)
    }

    /// A container that does not run yet, with its network and an empty upper directory.
    func make(megabytes: Int = 8) async throws -> Container {
        let number = Self.numbers.add(1, ordering: .relaxed).newValue
        let container = Container(kind, number, in: folder, memory: memory)
        try await sh(
            """
            mkdir -p '\(container.bundle)/rootfs' '\(container.bundle)/data/upper' '\(container.bundle)/data/work'
            """)
        if kind == .plain {
            try await sh("ip netns add n\(number)")
            try await container.connect()
        }
        try container.configuration(megabytes: megabytes).write(
            toFile: "\(container.bundle)/config.json", atomically: false, encoding: .utf8)
        return container
    }

    /// Mounts a container's root file system, on the upper directory that is there by now.
    func mount(_ container: Container) async throws {
        let owner = kind == .separate ? Container.owner : 0
        try await sh(
            """
            cd '\(container.bundle)'
            chown -R \(owner):\(owner) data
            mount -t overlay -o 'lowerdir=\(lower),upperdir=data/upper,workdir=data/work' overlay rootfs
            """)
    }

    /// A container in which the service runs, and prints to this file through a pipe.
    func start(megabytes: Int = 8, printsTo file: String? = nil) async throws -> Container {
        let container = try await make(megabytes: megabytes)
        try await mount(container)
        let run = "\(container.runc) run --detach --bundle '\(container.bundle)' \(container.name) </dev/null"
        try await sh(file.map { "{ \(run) 2>&1 | cat >'\($0)'; } >/dev/null 2>&1 &" } ?? "\(run) >/dev/null 2>&1")
        if kind == .separate { try await container.connect() }
        return container
    }

    /// Ends all that was started, and removes it.
    func remove() async throws {
        try await sh(
            """
            for name in $(runc --root '\(memory.root)' list --quiet); do
                runc --root '\(memory.root)' delete --force "$name"
            done
            umount --quiet '\(folder)'/c*/rootfs || :
            rm -rf --one-file-system '\(folder)'
            """)
    }
}

/// One container.
struct Container {
    /// How much it has of its own.
    enum Kind: Sendable, CaseIterable {
        /// Root's processes, in a network with a name.
        case plain
        /// Users and a network of its own, limits, and calls that are refused.
        case separate
    }

    /// The user outside that is root inside of a separate one.
    static let owner = 200_000

    let kind: Kind
    let number: Int
    let name: String
    let bundle: String
    let runc: String
    let memory: ContainerMemory

    init(_ kind: Kind, _ number: Int, in folder: String, memory: ContainerMemory) {
        self.kind = kind
        self.number = number
        // Its cgroups get this name, next to those of the whole machine.
        name = "snapshot-\(UUID().uuidString)"
        bundle = "\(folder)/c\(number)"
        runc = "runc --root '\(memory.root)'"
        self.memory = memory
    }

    var network: ContainerMemory.Network { kind == .plain ? .named("/run/netns/n\(number)") : .own }
    var upper: String { "\(bundle)/data/upper" }

    /// Connects its network, which of a separate one is there only as long as it runs.
    func connect() async throws {
        try await sh(
            """
            if [ \(kind) = separate ]; then
                process=$(\(runc) state \(name) | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p')
                ip netns attach n\(number) "$process"
            fi
            ip link add h\(number) type veth peer name eth0 netns n\(number)
            ip address add 10.77.\(number).1/30 dev h\(number)
            ip link set h\(number) up
            ip -n n\(number) address add 10.77.\(number).2/30 dev eth0
            ip -n n\(number) link set eth0 up
            ip -n n\(number) link set lo up
            """)
    }

    func dump(to images: String, keepsRunning: Bool) async throws(IsolationError) -> Duration {
        try await memory.dump(name, to: images, keepsRunning: keepsRunning, network: network)
    }

    func restore(from images: String, _ connections: ContainerMemory.Connections, output: Int32? = nil) async throws {
        try await memory.restore(
            name, bundle: bundle, from: images, connections: connections, network: network, output: output)
        if kind == .separate { try await connect() }
    }

    /// What the kernel's packet filter holds back in its network.
    func tables() async throws -> String { try await sh("ip netns exec n\(number) nft list tables") }

    func exists() async throws -> Bool { try await sh("\(runc) list --quiet").contains(name) }

    func configuration(megabytes: Int) -> String {
        let mapping = #"[{"containerID": 0, "hostID": \#(Self.owner), "size": 65536}]"#
        let own = """
            , "uidMappings": \(mapping), "gidMappings": \(mapping),
              "resources": {"memory": {"limit": 536870912}, "pids": {"limit": 100}},
              "maskedPaths": ["/proc/kcore", "/proc/keys"], "readonlyPaths": ["/proc/sys", "/proc/bus"],
              "seccomp": {"defaultAction": "SCMP_ACT_ALLOW",
                          "syscalls": [{"names": ["mount", "setns"], "action": "SCMP_ACT_ERRNO"}]}
            """
        let network =
            kind == .plain
            ? #"{"type": "network", "path": "/run/netns/n\#(number)"}"# : #"{"type": "network"}, {"type": "user"}"#
        return """
            {"ociVersion": "1.0.2", "hostname": "test", "root": {"path": "\(bundle)/rootfs"},
             "process": {"args": ["/bin/memory-service", "7000", "\(megabytes)", "/state"], "cwd": "/",
                         "user": {"uid": 0, "gid": 0}, "noNewPrivileges": true},
             "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]}],
             "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                                      {"type": "cgroup"}, \(network)]\(kind == .plain ? "" : own)}}
            """
    }
}

/// A client of the service in a container, over one connection.
final class MemoryClient: Sendable {
    private let socket: Int32

    /// Waits until the service answers.
    init(_ container: Container) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        let address = try #require(IPAddress("10.77.\(container.number).2"))
        while true {
            let socket = vk_socket_in(-1, AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            if vk_connect(socket, vk_endpoint(address, 7000)) == 0 {
                self.socket = socket
                break
            }
            close(socket)
            try #require(ContinuousClock.now < deadline, "the service does not answer")
            try await Task.sleep(for: .milliseconds(2))
        }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// The number of questions so far, by the service's count; `nil` if there is no answer. Blocks.
    func ask() -> Int? {
        guard send(socket, "?", 1, Int32(MSG_NOSIGNAL)) == 1 else { return nil }
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while read(socket, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return Int(String(decoding: text, as: UTF8.self)) }
            text.append(byte)
        }
        return nil
    }
}

/// Somebody who asks all the time, until nobody wants to know any more.
final class AskingClient: Sendable {
    private let isOver = Atomic(false)
    private let task: Mutex<Task<Duration, Never>?> = Mutex(nil)

    init(_ client: MemoryClient) {
        task.withLock { task in
            task = Task {
                // It blocks, and so needs a thread of its own.
                await onThread("asking") { [self] in
                    var longest = Duration.zero
                    while !isOver.load(ordering: .relaxed) {
                        let start = ContinuousClock.now
                        guard client.ask() != nil else { break }
                        longest = max(longest, .now - start)
                    }
                    return longest
                }
            }
        }
    }

    /// Ends it.
    ///
    /// - Returns: the longest that an answer took.
    @discardableResult
    func end() async -> Duration {
        isOver.store(true, ordering: .relaxed)
        return await task.withLock { $0 }?.value ?? .zero
    }
}

/// The CRIU that `scripts/install-criu` built.
func criu() async throws -> Criu {
    let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        .path
    return try await Criu.find(["\(repository)/.build/criu/criu", "criu"])
}

/// Uses containers and removes them, also when the test fails.
func withContainers(
    _ kind: Container.Kind = .plain, limit: Duration = .seconds(60), _ body: (Containers) async throws -> Void
) async throws {
    let containers = try await Containers(kind, limit: limit)
    let result: Result<Void, any Error>
    do { result = .success(try await body(containers)) } catch { result = .failure(error) }
    try await containers.remove()
    try result.get()
}

/// Tells `runc` to do something with a container.
func runc(_ command: String, _ container: Container) async throws(IsolationError) {
    do { try await sh("\(container.runc) \(command) \(container.name)") } catch { throw IsolationError("\(error)") }
}
