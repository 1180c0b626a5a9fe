import CLinux
import Glibc

/// Runs a program to its end and keeps what it printed: `ip`, `nft`, `tar`.
public enum Command {
    /// The most that is kept of a program's output, in bytes; what goes beyond is thrown away.
    public static let outputMax = 256 << 10

    /// How a program ended, and what it printed to standard output and standard error together.
    public struct Result: Sendable {
        /// How it ended.
        public var exit: ChildProcess.Exit
        /// What it printed.
        public var output: String
    }

    /// Runs a program, found in the usual directories unless named by a path.
    ///
    /// - Parameters:
    ///   - input: what it reads from standard input.
    ///   - networkNamespace: a descriptor of the namespace to run it in.
    /// - Throws: ``SystemError`` if it cannot be started. A non-zero exit code is a result, not an error.
    public static func run(
        _ program: String, _ arguments: [String], input: String = "", networkNamespace: Int32? = nil
    ) async throws(SystemError) -> Result {
        guard let path = find(program) else { throw SystemError("find the program \(program)", code: ENOENT) }
        let stdin = try file(containing: input)
        defer { close(stdin) }
        var ends: [Int32] = [0, 0]
        guard vk_pipe2(&ends, 0) == 0 else { throw SystemError("pipe") }
        var options = ChildProcess.Options()
        options.networkNamespace = networkNamespace
        options.descriptors = [0: stdin, 1: ends[1], 2: ends[1]]
        let child: ChildProcess
        do throws(SystemError) {
            child = try ChildProcess.spawn(path, arguments, options: options)
        } catch {
            close(ends[0])
            close(ends[1])
            throw error
        }
        close(ends[1])
        let source = ends[0]
        let output = await withCheckedContinuation { continuation in
            SystemThread(name: "output") { continuation.resume(returning: readAll(source)) }.start()
        }
        return Result(exit: await child.wait(), output: output)
    }

    /// The program's path, or `nil` if it is in none of the usual directories.
    public static func find(_ program: String) -> String? {
        if program.contains("/") { return program }
        return ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
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

    private static func readAll(_ descriptor: Int32) -> String {
        defer { close(descriptor) }
        var kept: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            kept += buffer[..<min(count, outputMax - kept.count)]
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
