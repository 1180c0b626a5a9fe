import Foundation
import Testing
@testable import VersionKitIsolation

@Suite("CRIU")
struct CriuTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// A program that prints something and ends with a code.
    private func fake(_ name: String, _ lines: String) async throws -> String {
        let path = "\(folder.path)/\(name)"
        try "#!/bin/sh\n\(lines)\n".write(toFile: path, atomically: false, encoding: .utf8)
        try await sh("chmod +x '\(path)'")
        return path
    }

    @Test("what is installed dumps and restores a process with sockets here")
    func selfTest() async throws {
        try await criu().selfTest(in: folder.path)
        #expect(try folder.names().isEmpty)
    }

    @Test("one that fails its test says why, in its own words")
    func failedSelfTest() async throws {
        let path = try await fake(
            "criu",
            """
            [ "$1" = dump ] || { echo 'Version: 4.9'; exit; }
            echo '(00.1)  Error (criu/sockets.c:1): Cannot get 1:16 opt' >"$5/$7"
            exit 1
            """)
        let criu = try await Criu.find([path])
        let error = await #expect(throws: IsolationError.self) { try await criu.selfTest(in: folder.path) }
        #expect("\(try #require(error))".hasSuffix(": Cannot get 1:16 opt"))
        #expect(try folder.names() == ["criu"])
    }

    @Test("the first that is new enough is taken; if there is none, it is said what is there")
    func find() async throws {
        let old = try await fake("old", "echo 'Version: 3.17.1'")
        let other = try await fake("other", "echo hello")
        let new = try await fake("new", "echo 'Version: 4.10'; echo 'GitID: v4.10'")
        let found = try await Criu.find(["\(folder.path)/none", old, other, new])
        #expect(found.path == new && "\(found.version)" == "4.10")
        let error = await #expect(throws: IsolationError.self) { _ = try await Criu.find([old, other]) }
        #expect("\(try #require(error))".contains("\(old) is 3.17, \(other) does not tell its version"))
        await #expect(throws: IsolationError.self) { _ = try await Criu.find(["\(folder.path)/none"]) }
    }

    @Test("versions are compared as numbers")
    func versions() throws {
        #expect(try #require(Criu.Version(printed: "Version: 4.10.1\n")) > Criu.Version(major: 4, minor: 2))
        #expect(try #require(Criu.Version(printed: "Version: 4.1")) < .oldest)
        for text in ["", "Version:", "Version: x.y", "Version: 4"] { #expect(Criu.Version(printed: text) == nil) }
    }

    @Test("the reason is the first error in a log that is one")
    func reason() {
        let log = """
            (00.007481) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
            (00.041327)      1: No filelocks.img image
            (00.041328) Error (criu/protobuf.c:72): Unexpected EOF on (empty-image)
            (00.041833)      1: Error (soccr/soccr.c:499): Can't bind inet socket back: Cannot assign requested address
            (00.042637) Error (criu/cr-restore.c:2331): Restoring FAILED.
            """
        #expect(CriuLog.reason(inText: log) == "Can't bind inet socket back: Cannot assign requested address")
        #expect(CriuLog.reason(inText: "all is well") == nil)
        #expect(CriuLog.reason(in: "\(folder.path)/none") == nil)
    }

    /// What CRIU 4.2.1 wrote of a dump of 32 MB.
    private static let statistics: [UInt8] = [
        0x40, 0x59, 0x10, 0x55, 0x06, 0x33, 0x09, 0x57, 0x26, 0x00, 0x00, 0x00, 0x0A, 0x24, 0x08, 0xC9, 0x03, 0x10,
        0xB3,
        0xD9, 0x07, 0x18, 0xDB, 0xC1, 0x01, 0x20, 0xAC, 0x6F, 0x28, 0x93, 0x40, 0x30, 0x00, 0x38, 0x8E, 0x40, 0x40,
        0x00,
        0x48, 0x00, 0x50, 0x08, 0x58, 0x08, 0x60, 0x00, 0x68, 0x00, 0x70, 0x00,
    ]

    @Test("the pause is read from CRIU's statistics, and nothing from what is damaged")
    func pause() {
        #expect(CriuStatistics.frozenTime(inBytes: Self.statistics) == .microseconds(126_131))
        for count in 0..<21 { #expect(CriuStatistics.frozenTime(inBytes: Array(Self.statistics.prefix(count))) == nil) }
        for position in Self.statistics.indices {
            for byte: UInt8 in [0x00, 0x7F, 0x80, 0xFF] {
                var bytes = Self.statistics
                bytes[position] = byte
                _ = CriuStatistics.frozenTime(inBytes: bytes)
            }
        }
    }

    @Test("only CRIU's own tables are taken for what it holds packets back with")
    func locks() {
        let tables = "table inet CRIU-12\ntable ip filter\ntable inet versionkit\n\ntable inet CRIU\n"
        #expect(ContainerMemory.locks(inTables: tables) == [["inet", "CRIU-12"]])
    }
}
