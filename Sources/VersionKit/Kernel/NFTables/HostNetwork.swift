import CLinux
import Glibc
import VersionKitProcesses

/// A network namespace, and how its rules and sysctls are reached: by default the one of this process.
///
/// Every call blocks for as long as a program or the kernel takes, some milliseconds. Thread-safe.
package struct HostNetwork: Sendable {
    /// A descriptor of the namespace, kept open by whoever made it; `nil` is this process's own.
    package let namespace: Int32?

    /// The most that a program may print, in bytes; it is killed by a closed pipe when it prints more.
    static let outputMax = 32 << 20

    /// The network of a namespace.
    package init(namespace: Int32? = nil) { self.namespace = namespace }

    /// Runs a program to its end with this network.
    ///
    /// - Parameters:
    ///   - input: what it reads from standard input.
    ///   - descriptors: what else it gets, by the numbers there.
    /// - Returns: what it printed, standard output and standard error together.
    /// - Throws: ``KernelPathError`` with what it printed, when it does not end with 0.
    @discardableResult
    package func run(
        _ program: String, _ arguments: [String], input: String = "", descriptors: [Int32: Int32] = [:]
    ) throws(KernelPathError) -> String {
        let what = ([program] + arguments).joined(separator: " ")
        guard let path = Command.find(program) else {
            throw KernelPathError("the program \(program) is not installed", isUnsupported: true)
        }
        var ends: [Int32] = [-1, -1]
        guard vk_pipe2(&ends, 0) == 0 else { throw KernelPathError("\(what): \(SystemError("pipe"))") }
        let stdin: Int32
        let child: (pid: Int32, pidfd: Int32)
        do throws(SystemError) {
            stdin = try Self.file(containing: input)
            defer { close(stdin) }
            var spawn = RawSpawn()
            spawn.networkNamespace = namespace
            spawn.newSession = true
            spawn.descriptors = descriptors.merging([0: stdin, 1: ends[1], 2: ends[1]]) { _, own in own }
            child = try spawn.spawn(path, arguments)
        } catch {
            for end in ends { close(end) }
            throw KernelPathError("\(what): \(error)")
        }
        close(ends[1])
        let output = Self.readAll(ends[0])
        close(ends[0])
        var code: Int32 = 0
        var signal: Int32 = 0
        _ = vk_wait(child.pidfd, false, &code, &signal)
        close(child.pidfd)
        guard code == 0, signal == 0, let output else {
            let reason = signal == 0 ? "ended with exit code \(code)" : "was ended by signal \(signal)"
            throw KernelPathError("\(what) \(reason): \(output ?? "it printed too much")")
        }
        return output
    }

    /// Does something on a thread that is in this namespace: `/proc/sys/net` shows each thread its own.
    package func inside<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KernelPathError) -> Value
    ) throws(KernelPathError) -> Value {
        guard let namespace else { return try body() }
        let box = ResultBox<Value>()
        let done = eventfd(0, Int32(EFD_CLOEXEC))
        guard done >= 0 else { throw KernelPathError("\(SystemError("eventfd"))") }
        defer { close(done) }
        SystemThread(name: "namespace") {
            // Nobody else ever runs on this thread, so it need not go back.
            box.value =
                vk_setns(namespace, CLONE_NEWNET) == 0
                ? Result { () throws(KernelPathError) in try body() }
                : .failure(KernelPathError("\(SystemError("enter a network namespace"))"))
            eventfd_write(done, 1)
        }.start()
        var count: eventfd_t = 0
        while eventfd_read(done, &count) != 0, errno == EINTR {}
        guard let value = box.value else { throw KernelPathError("the thread in a namespace ended without a result") }
        return try value.get()
    }

    /// Written by one thread before the event, read by the other after it.
    private final class ResultBox<Value: Sendable>: @unchecked Sendable {
        var value: Result<Value, KernelPathError>?
    }

    private static func file(containing text: String) throws(SystemError) -> Int32 {
        let descriptor = vk_memfd("input")
        guard descriptor >= 0 else { throw SystemError("memfd_create") }
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
            let error = SystemError("write a program's input")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func readAll(_ descriptor: Int32) -> String? {
        var kept: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            guard kept.count + count <= outputMax else { return nil }
            kept += buffer[..<count]
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
