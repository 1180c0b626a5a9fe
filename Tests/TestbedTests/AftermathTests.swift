import Glibc
import Testing

@testable import VersionKitTestbed

/// That nothing is left of a testbed whose process is killed. A sandbox within the sandbox makes the
/// processes of the inner one visible here. These need `scripts/sandbox`.
@Suite(.serialized) struct AftermathTests {
    enum Victim: String, CaseIterable {
        case holder, sandbox
    }

    @Test("when the holder of a testbed or its sandbox is killed, nothing is left", arguments: Victim.allCases)
    func killed(victim: Victim) throws {
        // `run inside scripts/sandbox`, should that be missing.
        let outer = try Testbed(TestbedPlan())
        defer { outer.stop() }
        let marker = "testbed-\(getpid())-\(victim)"
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let (pid, handle) = try Launch(
            executable: script, arguments: [holder, marker],
            descriptors: [(source: ends[1], target: STDOUT_FILENO)]
        ).start()
        close(ends[1])
        let sandbox = HostProcess(pid: pid, handle: handle, outputEnd: nil)
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = read(ends[0], &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "holding\n")

        let before = ProcessTable.current().filter { $0.command.contains(marker) }
        // Two shells on the hosts, the holder, and the sandbox's own.
        #expect(before.count >= 4)
        let namespaces = Set(before.map(\.namespace)).subtracting([ProcessTable.own])
        #expect(namespaces.count >= 3)

        switch victim {
        case .sandbox: sandbox.kill()
        case .holder: kill(try #require(before.first { $0.command.hasPrefix(holder) }).pid, SIGKILL)
        }
        let exit = try sandbox.waitBlocking(timeout: .seconds(10))
        #expect(exit == (victim == .sandbox ? .signalled(SIGKILL) : .exited(128 + SIGKILL)))

        var left = before
        for _ in 0..<200 where !left.isEmpty {
            usleep(20_000)
            left = ProcessTable.current().filter {
                $0.command.contains(marker) || namespaces.contains($0.namespace)
            }
        }
        #expect(left.isEmpty)
    }

    private var holder: String {
        // Both are built into the same folder.
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count)
        let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (testBundleFolder ?? own.folder) + "/testbed-holder"
    }

    // Under `swift test` the tests are loaded by a helper of the toolchain, which gets their path.
    private var testBundleFolder: String? {
        CommandLine.arguments.first { $0.hasSuffix(".xctest") && $0.contains("/") }?.folder
    }

    private var script: String {
        "\(#filePath)".folder.folder.folder + "/scripts/sandbox"
    }
}

extension String {
    fileprivate var folder: String { split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } }
}

/// Processes as far as they can be seen here.
private enum ProcessTable {
    struct Entry {
        var pid: Int32
        /// Its arguments, separated by spaces.
        var command: String
        /// Its network namespace.
        var namespace: String
    }

    static var own: String { namespace("self") }

    static func current() -> [Entry] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while let item = readdir(folder) {
            let name = withUnsafeBytes(of: item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let pid = Int32(name) else { continue }
            let namespace = namespace(name)
            // A zombie has none.
            if namespace.isEmpty { continue }
            entries.append(Entry(pid: pid, command: command(name), namespace: namespace))
        }
        return entries
    }

    private static func command(_ process: String) -> String {
        let file = open("/proc/\(process)/cmdline", O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = max(0, read(file, &bytes, bytes.count))
        return String(decoding: bytes.prefix(count).map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    private static func namespace(_ process: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { buffer in
            readlink("/proc/\(process)/ns/net", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
