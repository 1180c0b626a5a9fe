import Glibc
import Testing
import VersionKitProcesses

/// Goal: processes are known by what the kernel says of them, and those below another one are found.
@Suite("What the kernel tells of processes")
struct ProcessStatusTests {
    private static func line(_ pid: Int32, _ name: String, _ state: String, parent: Int32) -> String {
        "\(pid) (\(name)) \(state) \(parent) 1 1 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 7 0 12345 1000000 99 18446744073709\n"
    }

    @Test("a process's line is understood, whatever its name is")
    func parses() throws {
        for name in ["sh", "a) Z 1 (b", "", "two words"] {
            let status = try #require(ProcessStatus(parsing: Self.line(42, name, "T", parent: 7)))
            #expect((status.pid, status.parent, status.isStopped, status.isZombie) == (42, 7, true, false))
            #expect((status.ticks, status.threads, status.pages) == (100, 7, 99))
        }
        for text in ["", "42", "42 (sh", "42 (sh) R", ") 42 ("] { #expect(ProcessStatus(parsing: text) == nil) }
    }

    @Test("those below a process are found, however deep, even among numbers that were used twice")
    func descendants() {
        let parents: [(Int32, Int32)] = [(10, 1), (11, 10), (12, 11), (13, 12), (20, 1), (21, 20), (30, 31), (31, 30)]
        let all = parents.compactMap { ProcessStatus(parsing: Self.line($0.0, "x", "S", parent: $0.1)) }
        #expect(Set(all.descendants(of: 10).map(\.pid)) == [11, 12, 13])
        #expect(all.descendants(of: 13).isEmpty)
        #expect(Set(all.descendants(of: 30).map(\.pid)) == [31])
    }

    @Test("this process is there, with its threads")
    func oneself() throws {
        let own = try #require(ProcessStatus.all().first { $0.pid == getpid() })
        #expect(own.parent == getppid())
        #expect(own.pages > 0)
        #expect(ProcessStatus.all(in: "/proc/self/task").contains { $0.pid == getpid() })
    }
}
