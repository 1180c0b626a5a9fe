import CLibXL
import Glibc
import VersionKitProcesses

/// A domain of the Xen hypervisor that exists. Its number is never used again while the host runs.
struct XenDomain: Sendable, Hashable {
    /// What a domain does and has used.
    struct State: Sendable {
        /// It ended by itself; its memory is still taken.
        var isEnded: Bool
        var isPaused: Bool
        /// It was saved, and did not go on yet.
        var isSaved: Bool
        var memoryBytes: UInt64
        var processorSeconds: Double
    }

    /// How often a domain is looked at, for its end.
    private static let watchPeriod = Duration.seconds(1)

    let id: UInt32

    /// Creates a domain, paused.
    ///
    /// - Parameter memory: what it goes on with, the file that ``save(to:)`` wrote; `nil`: it boots.
    static func create(_ machine: XenMachine, memory: String? = nil) async throws(IsolationError) -> XenDomain {
        var saved: Int32 = -1
        if let memory {
            saved = open(memory, O_RDONLY | O_CLOEXEC)
            guard saved >= 0 else { throw .system("open \(memory)") }
        }
        let descriptor = saved
        defer { if descriptor >= 0 { close(descriptor) } }
        let (_, id) = try await call("create the domain \(machine.name)") { id, reason in
            machine.withC { vk_xl_create($0, descriptor, &id, &reason) }
        }
        return XenDomain(id: id)
    }

    /// The domain with this name, if there is one.
    static func find(_ name: String) async throws(IsolationError) -> XenDomain? {
        let (found, id) = try await call("look for the domain \(name)") { vk_xl_find(name, &$0, &$1) }
        return found == 1 ? XenDomain(id: id) : nil
    }

    /// The names of all domains but the node's own.
    static func names() async throws(IsolationError) -> [String] {
        try await call("list the domains", initially: [String]()) { names, reason in
            withUnsafeMutablePointer(to: &names) { names in
                vk_xl_names(
                    { name, names in
                        names?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                    }, names, &reason)
            }
        }.1
    }

    /// What it does and has used; `nil` if it is gone.
    func state() async throws(IsolationError) -> State? {
        let (found, state) = try await Self.call("look at a domain", initially: vk_xl_state()) {
            vk_xl_state(id, &$0, &$1)
        }
        guard found == 1 else { return nil }
        return State(
            isEnded: state.ended, isPaused: state.paused, isSaved: state.saved, memoryBytes: state.memory_kib << 10,
            processorSeconds: Double(state.cpu_nanoseconds) / 1e9)
    }

    func pause() async throws(IsolationError) { try await perform("pause a domain", vk_xl_pause) }

    func unpause() async throws(IsolationError) { try await perform("let a domain go on", vk_xl_unpause) }

    /// Writes memory and registers to a file. It stands still from then on, until ``resume()``.
    func save(to path: String) async throws(IsolationError) {
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("make \(path)") }
        defer { close(file) }
        try await perform("save a domain") { vk_xl_save($0, file, $1) }
    }

    /// Goes on after it was saved.
    func resume() async throws(IsolationError) { try await perform("go on with a saved domain", vk_xl_resume) }

    /// Ends it at once.
    func destroy() async throws(IsolationError) { try await perform("end a domain", vk_xl_destroy) }

    /// Ends a conversation with its agent when the domain ends: its kernel failed, or somebody destroyed it, and nobody is
    /// left who could close a connection.
    func watch(_ connection: AgentConnection) {
        Task { [weak connection] in
            while connection != nil {
                try? await Task.sleep(for: Self.watchPeriod)
                // A toolstack that does not answer just now is no end.
                do throws(IsolationError) {
                    guard let state = try await state(), !state.isEnded else { break }
                } catch {}
            }
            connection?.lose()
        }
    }

    private func perform(
        _ what: String, _ body: @escaping @Sendable (UInt32, UnsafeMutablePointer<vk_xl_reason>) -> Int32
    ) async throws(IsolationError) {
        let id = id
        _ = try await Self.call(what) { body(id, &$1) }
    }

    private static func call(
        _ what: String, _ body: @escaping @Sendable (inout UInt32, inout vk_xl_reason) -> Int32
    ) async throws(IsolationError) -> (Int32, UInt32) {
        try await call(what, initially: 0, body)
    }

    /// Talks to the toolstack on a thread of its own, as it may take long.
    private static func call<Value: Sendable>(
        _ what: String, initially value: Value,
        _ body: @escaping @Sendable (inout Value, inout vk_xl_reason) -> Int32
    ) async throws(IsolationError) -> (Int32, Value) {
        let (code, result, reason) = await onThread("libxl") {
            var (result, reason) = (value, vk_xl_reason())
            let code = body(&result, &reason)
            let text = withUnsafeBytes(of: reason.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return (code, result, text)
        }
        guard code >= 0 else { throw IsolationError("could not \(what): \(reason)") }
        return (code, result)
    }
}

extension XenMachine {
    /// The machine as C has it, for the length of a call.
    fileprivate func withC<Result>(_ body: (UnsafePointer<vk_xl_domain>) -> Result) -> Result {
        var texts: [UnsafeMutablePointer<CChar>] = []
        defer { for text in texts { free(text) } }
        func copied(_ text: String) -> UnsafePointer<CChar> {
            guard let copy = strdup(text) else { fatalError("out of memory") }
            texts.append(copy)
            return UnsafePointer(copy)
        }
        let disks = disks.map {
            vk_xl_disk(path: copied($0.image), device: copied($0.device), writable: $0.isWritable)
        }
        return disks.withUnsafeBufferPointer { disks in
            guard let first = disks.baseAddress else { fatalError("a machine without a disk") }
            let domain = vk_xl_domain(
                name: copied(name), kernel: copied(kernel), ramdisk: copied(ramdisk),
                command_line: copied(commandLine), memory_kib: memoryKibibytes, processors: Int32(processors),
                processor_percent: Int32(processorPercent ?? 0), hardware: usesHardware, disks: first,
                disk_count: Int32(disks.count), bridge: copied(bridge),
                interface_script: interfaceScript.map(copied), disk_script: diskScript.map(copied))
            return withUnsafePointer(to: domain, body)
        }
    }
}
