import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses

/// A directory that is removed with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/versionkit-missed-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { _ = try? ChildProcess.spawn("/bin/rm", ["-rf", path]) }
}

/// A `line-proxy` in a process of its own, which can be killed.
final class ProxyUnderTest: Sendable {
    private let process: ChildProcess
    private let socket: String
    private let seen = Mutex(Seen())

    private struct Seen {
        var counters = ""
        var waiting: [(words: [String], continuation: CheckedContinuation<Void, any Error>)] = []
        var isOver = false
    }

    /// Starts it, and waits until it accepts clients.
    init(_ versions: [Version: Endpoint], in directory: String, options more: [String] = []) async throws {
        socket = directory + "/clients"
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { throw SystemError("pipe") }
        let (output, input) = (pipes[0], pipes[1])
        defer { close(input) }
        var options = ChildProcess.Options()
        options.descriptors = [1: input]
        let ends = versions.sorted { $0.key < $1.key }.flatMap { ["--version", "\($0.key)=\($0.value)"] }
        process = try ChildProcess.spawn(
            Self.program, ["--listen", "unix:\(socket)", "--report"] + ends + more, options: options)
        SystemThread(name: "line-proxy") { [self] in
            readLines(output) { self.heard($0) }
            close(output)
            heard(nil)
        }.start()
        try await said("counters")
    }

    /// Both are built into the same folder.
    private static var program: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") && $0.contains("/") }
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count)
        let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (bundle ?? own).split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/line-proxy"
    }

    /// What it has done so far, as text.
    var counters: String { seen.withLock { $0.counters } }

    /// Waits until a report has all of these words.
    func said(_ words: String...) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isOver = seen.withLock { seen in
                if !seen.isOver { seen.waiting.append((words, continuation)) }
                return seen.isOver
            }
            if isOver { continuation.resume(throwing: SystemError("wait for \(words)", code: EPIPE)) }
        }
    }

    private func heard(_ line: String?) {
        let (done, error) = seen.withLock { seen in
            let words = Set((line ?? "").split(separator: " ").map(String.init))
            seen.counters = line ?? seen.counters
            seen.isOver = line == nil
            let done = seen.waiting.filter { line == nil || words.isSuperset(of: $0.words) }
            seen.waiting.removeAll { line == nil || words.isSuperset(of: $0.words) }
            return (done, line == nil ? SystemError("read a report", code: EPIPE) : nil)
        }
        for waiting in done {
            if let error { waiting.continuation.resume(throwing: error) } else { waiting.continuation.resume() }
        }
    }

    func client() throws -> LineConnection { try LineConnection(unix: socket) }

    /// Ends it without a chance to clean up.
    func kill() async {
        process.send(SIGKILL)
        _ = await process.wait()
    }

    deinit { process.send(SIGKILL) }
}
