import Glibc
import IrisLogCore

/// One of this package's programs, running.
final class Program {
    struct Result: Equatable {
        let code: Int32
        let output: String
    }

    /// Where the build put the programs: beside the bundle of the tests.
    static let directory: String? = CommandLine.arguments.first { $0.contains(".xctest") }
        .flatMap { $0.folder(above: ".xctest") }

    private let process: pid_t
    private let output: UnsafeMutablePointer<FILE>
    private var hasEnded = false

    init(_ name: String, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard let directory = Self.directory, pipe(&ends) == 0 else { throw IrisLogError(.internal, "no pipe") }
        defer { close(ends[1]) }
        // A program started meanwhile must not keep this one's output open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let words = [directory + "/" + name] + arguments
        var pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        guard posix_spawn(&process, words[0], &actions, nil, &pointers, nil) == 0,
            let output = fdopen(ends[0], "r")
        else { throw IrisLogError(.internal, "cannot run \(words[0])") }
        self.process = process
        self.output = output
    }

    deinit {
        if !hasEnded {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        fclose(output)
    }

    /// The next line it prints; nil if it ended without one.
    func line() throws -> String? {
        var text: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(text) }
        guard getline(&text, &capacity, output) > 0, let text else { return nil }
        return String(cString: text)
    }

    func terminate() { kill(process, SIGTERM) }

    /// What it still prints, and its exit code: -1 if a signal ended it.
    func result() throws -> Result {
        var text = ""
        while let line = try line() { text += line }
        var status: Int32 = 0
        guard waitpid(process, &status, 0) == process else { throw IrisLogError(.internal, "no such process") }
        hasEnded = true
        return Result(code: status & 0x7F == 0 ? (status >> 8) & 0xFF : -1, output: text)
    }
}

extension String {
    /// The folder above the path component that ends so.
    fileprivate func folder(above suffix: String) -> String? {
        let components = split(separator: "/", omittingEmptySubsequences: false)
        guard let index = components.firstIndex(where: { $0.hasSuffix(suffix) }), index > 0 else { return nil }
        return components[..<index].joined(separator: "/")
    }
}
