import Foundation
import Testing

@testable import VersionKitKernel

/// The programs for the kernel, as they are checked in and read.
@Suite("Programs for the kernel")
struct ProgramObjectTests {
    private let bytes: [UInt8]

    init() throws { bytes = try #require(Base64.bytes(of: RouterProgram.object)) }

    @Test("the object has the two programs and the tables they share")
    func content() throws {
        let object = try ProgramObject(elf: bytes)
        #expect(object.programs.map(\.name) == ["from_version", "from_wire"])
        #expect(
            Set(object.tables.map(\.name)) == [
                "settings", "environments", "direct_ports", "registered_ports", "routes", "peer_ports",
                "version_flows", "wire_flows", "traffic", "events",
            ])
        #expect(object.tables.allSatisfy { $0.entries > 0 && $0.keyBytes > 0 && $0.valueBytes > 0 })
        #expect(object.programs.allSatisfy { !$0.references.isEmpty })
    }

    @Test("tables are put into the instructions that mean them, and nowhere else")
    func code() throws {
        let object = try ProgramObject(elf: bytes)
        let program = try #require(object.programs.first)
        let code = program.code(tables: object.tables.indices.map { Int32($0) + 1000 })
        for reference in program.references {
            #expect(code[reference.offset] == ELF.loadWide)
            #expect(code[reference.offset + 1] >> 4 == ELF.tableDescriptor)
            let number = UInt32(reference.table) + 1000
            #expect(UInt32(code[reference.offset + 4]) | UInt32(code[reference.offset + 5]) << 8 == number)
        }
        let changed = Set(program.references.flatMap { place in [1, 4, 5, 6, 7].map { place.offset + $0 } })
        #expect(code.indices.allSatisfy { code[$0] == program.instructions[$0] || changed.contains($0) })
    }

    @Test("an object that ends anywhere is refused")
    func truncated() {
        for count in Array(stride(from: 0, to: bytes.count, by: 67)) + [bytes.count - 1] {
            #expect(throws: ProgramObjectError.self) { _ = try ProgramObject(elf: Array(bytes[..<count])) }
        }
    }

    @Test("an object with any byte changed is refused or read, never more")
    func garbled() {
        // The header, and what the sections are described by, at the end; of everything else every hundredth byte.
        let places = Set(0..<64).union(bytes.count - 600..<bytes.count).union(stride(from: 0, to: bytes.count, by: 101))
        for place in places {
            for value: UInt8 in [0, 0xFF] where value != bytes[place] {
                var changed = bytes
                changed[place] = value
                _ = try? ProgramObject(elf: changed)
            }
        }
    }

    @Test("what is no object is named so", arguments: [[], [UInt8](repeating: 0, count: 200), Array("#!/bin/sh".utf8)])
    func noObject(bytes: [UInt8]) {
        #expect(throws: ProgramObjectError.self) { _ = try ProgramObject(elf: bytes) }
    }

    @Test("a program that the kernel refuses is refused with the kernel's reason")
    func refused() {
        // It ends without a verdict.
        let error = #expect(throws: KernelPathError.self) { _ = try loadProgram("bad", [0x95, 0, 0, 0, 0, 0, 0, 0]) }
        #expect(error?.isUnsupported == true)
        #expect(error?.reason.contains("R0 !read_ok") == true)
    }

    @Test("what is checked in is what the sources build to")
    func isCurrent() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let target = FileManager.default.temporaryDirectory.appendingPathComponent("programs-\(UUID())")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: target) }
        let build = Process()
        build.executableURL = root.appendingPathComponent("scripts/build-bpf")
        build.arguments = [target.path]
        try build.run()
        build.waitUntilExit()
        #expect(build.terminationStatus == 0)
        for name in ["RouterProgram.swift", "HostProgram.swift"] {
            let built = try String(contentsOf: target.appendingPathComponent(name), encoding: .utf8)
            let checkedIn = try String(
                contentsOf: root.appendingPathComponent("Sources/VersionKit/Kernel/BPF/" + name), encoding: .utf8)
            if built.contains("\"\(RouterProgram.compiler)\"") {
                #expect(built == checkedIn, "do: make bpf")
            } else {
                // Another compiler makes other bytes; then the sources at least have to be the same.
                #expect(built.contains("\"\(RouterProgram.sources)\""), "do: make bpf")
            }
        }
    }

    @Test("base 64 is read as everybody writes it", arguments: ["", "a", "ab", "abc", "abcd", "\u{FF}\u{0}ÿz"])
    func base64(text: String) {
        #expect(Base64.bytes(of: Data(text.utf8).base64EncodedString()) == Array(text.utf8))
    }

    @Test("what is no base 64 is refused", arguments: ["a", "abc", "ab=c", "a===", "ab*d", "====="])
    func badBase64(text: String) {
        #expect(Base64.bytes(of: text) == nil)
    }

    @Test("possible processors are counted", arguments: [("0", 1), ("0-3\n", 4), ("0-1,4,6-7\n", 5)])
    func processors(list: String, count: Int) {
        #expect(PossibleProcessors(list: list)?.count == count)
    }

    @Test("what is no list of processors is none", arguments: ["", "a", "1-", "3-1", "0,,1", "0-1-2"])
    func badProcessors(list: String) {
        #expect(PossibleProcessors(list: list) == nil)
    }
}
