import CFSNFS
import Glibc
import NIOCore
import Testing
import VersionKitProcesses

/// Goal: clients that somebody else wrote read our server.
///
/// Method: the programs of libnfs, which most Unixes have; they speak NFS by themselves, without a kernel.
struct LibNFSTests {
    private static let tree = Tree(
        files: ["/a": 3, "/sub/big": 1238 * 512 - 1, "/sub/deep/c": 0], links: ["/link": "sub"])

    private func run(_ program: String, _ port: Int, _ path: String, _ more: [String] = []) async throws -> String {
        let arguments = program == "nfs-ls" ? ["-R"] : []
        let url = "nfs://127.0.0.1\(path)?version=3&nfsport=\(port)&mountport=\(port)"
        let result = try await Command.run(program, arguments + [url] + more, limit: .seconds(60))
        #expect(result.exit == .code(0), "\(result.output)")
        return result.output
    }

    @Test("nfs-ls lists the tree")
    func list() async throws {
        try await Publication(Self.tree).withPort { port in
            let lines = try await run("nfs-ls", port, "/").split(separator: "\n").map { line in
                let words = line.split(separator: " ")
                return "\(words[0]) \(words[4]) \(words[5])"
            }
            #expect(
                lines.sorted() == [
                    "-r--r--r-- 0 sub/deep/c", "-r--r--r-- 3 a", "-r--r--r-- 633855 sub/big", "dr-xr-xr-x 132 sub/deep",
                    "dr-xr-xr-x 172 sub", "lrwxrwxrwx 3 link",
                ])
        }
    }

    @Test("nfs-cp copies a file of three levels of indirect blocks, and nfs-cat prints one")
    func copy() async throws {
        var template = Array("/tmp/cfs-nfs-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        let path = folder + "/big"
        defer {
            unlink(path)
            rmdir(folder)
        }
        try await Publication(Self.tree).withPort { port in
            _ = try await run("nfs-cp", port, "/sub/big", [path])
            let file = open(path, O_RDONLY)
            defer { close(file) }
            var bytes = Array(repeating: UInt8(0), count: 700_000)
            let count = read(file, &bytes, bytes.count)
            #expect(bytes.prefix(max(0, count)).elementsEqual(pattern(0..<1238 * 512 - 1).readableBytesView))
            let printed = try await run("nfs-cat", port, "//a")
            #expect(Array(printed.utf8) == Array(pattern(0..<3).readableBytesView))
        }
    }
}
