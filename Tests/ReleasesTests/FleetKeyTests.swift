import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

@Suite("FleetKey")
struct FleetKeyTests {
    private let key = FleetKey(bytes: [UInt8](repeating: 1, count: 32))!

    @Test("a text's code is valid for that text and that key, and for no other")
    func codes() {
        let code = key.code(of: "versions irislog 2")
        #expect(code.count == FleetKey.codeBytes)
        #expect(key.isValid(code, of: "versions irislog 2"))
        #expect(key.isValid(code, of: "versions irislog 3") == false)
        #expect(FleetKey(bytes: [UInt8](repeating: 2, count: 32))!.isValid(code, of: "versions irislog 2") == false)
        #expect(key.isValid([], of: "versions irislog 2") == false)
        #expect(key.isValid(Array(code.dropLast()), of: "versions irislog 2") == false)
    }

    @Test("fleets of different names do not understand each other, even with the same key")
    func names() throws {
        let bytes = [UInt8](repeating: 1, count: 32)
        let fleets = ["north", "south"].compactMap { FleetKey(bytes: bytes, fleet: NodeID(rawValue: $0)) }
        try #require(fleets.count == 2)
        let code = fleets[0].code(of: "versions irislog 2")
        #expect(fleets[0].isValid(code, of: "versions irislog 2"))
        #expect(fleets[1].isValid(code, of: "versions irislog 2") == false)
        #expect(key.isValid(code, of: "versions irislog 2") == false)
    }

    @Test("the message in the wire document has the code that the document says")
    func documented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/wire-format.md"), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("    versions irislog ") })
        let parts = line.trimmingCharacters(in: .whitespaces).components(separatedBy: " hmac ")
        let documented = try #require(FleetKey(bytes: Array("a key of at least thirty-two bytes".utf8)))
        #expect(documented.code(of: parts[0]).map { String(format: "%02x", $0) }.joined() == parts.last)
    }

    @Test("a key of fewer than 32 bytes is none")
    func short() {
        #expect(FleetKey(bytes: [UInt8](repeating: 1, count: 31)) == nil)
    }

    @Test("a key that was made reads back, only its owner can read it, and none is overwritten")
    func made() async throws {
        let bench = try Workbench()
        let path = bench.path("fleet.key")
        try FleetKey.make(at: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let code = try FleetKey(contentsOf: path).code(of: "a")
        #expect(try FleetKey(contentsOf: path).isValid(code, of: "a"))
        #expect(await failure { try FleetKey.make(at: path) }?.code == .conflict)
        try FleetKey.make(at: bench.path("other.key"))
        #expect(try FleetKey(contentsOf: bench.path("other.key")).isValid(code, of: "a") == false)
    }

    @Test("white space at the end of the file makes no other key")
    func whiteSpace() throws {
        let bench = try Workbench()
        let text = String(repeating: "k", count: 32)
        for (name, ending) in [("a", ""), ("b", "\n"), ("c", " \r\n")] {
            try bench.write(text + ending, to: name)
            chmod(bench.path(name), 0o600)
        }
        let code = try FleetKey(contentsOf: bench.path("a")).code(of: "x")
        #expect(try FleetKey(contentsOf: bench.path("b")).isValid(code, of: "x"))
        #expect(try FleetKey(contentsOf: bench.path("c")).isValid(code, of: "x"))
    }

    @Test("a file that others can read, that is missing, too short or too long is refused with what to do")
    func badFiles() async throws {
        let bench = try Workbench()
        try bench.write(String(repeating: "k", count: 31) + "\n", to: "short")
        try bench.write(String(repeating: "k", count: 5000), to: "long")
        try bench.write(String(repeating: "k", count: 32), to: "open")
        for name in ["short", "long"] { chmod(bench.path(name), 0o600) }
        chmod(bench.path("open"), 0o640)
        let short = await failure { _ = try FleetKey(contentsOf: bench.path("short")) }
        #expect(short?.code == .badKey)
        #expect(short?.remedy?.contains("versionctl fleet-key") == true)
        #expect(await failure { _ = try FleetKey(contentsOf: bench.path("long")) }?.code == .limitExceeded)
        #expect(await failure { _ = try FleetKey(contentsOf: bench.path("open")) }?.remedy?.contains("chmod") == true)
        #expect(await failure { _ = try FleetKey(contentsOf: bench.path("none")) }?.code == .notFound)
    }
}
