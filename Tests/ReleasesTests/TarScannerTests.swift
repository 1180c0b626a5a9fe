import Testing

@testable import VersionKitReleases

@Suite("TarScanner")
struct TarScannerTests {
    /// What the scanner says about an archive, fed whole and byte by byte.
    private func verdict(_ bytes: [UInt8]) throws -> String? {
        let whole = scan(bytes, step: max(1, bytes.count))
        #expect(scan(bytes, step: 1) == whole)
        #expect(scan(bytes, step: 511) == whole)
        return whole
    }

    private func scan(_ bytes: [UInt8], step: Int) -> String? {
        var scanner = TarScanner(membersMax: 8)
        do throws(TarScanner.Problem) {
            for start in stride(from: 0, to: bytes.count, by: step) {
                let piece = Array(bytes[start..<min(start + step, bytes.count)])
                try piece.span.bytes.withUnsafeBytes { (raw) throws(TarScanner.Problem) in try scanner.feed(raw) }
            }
            try scanner.finish()
            return nil
        } catch {
            return error.message
        }
    }

    private func archive(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var builder = TarBuilder()
        build(&builder)
        return builder.finished
    }

    @Test("files, directories and links of all ordinary kinds are safe")
    func ordinary() throws {
        let bytes = archive {
            $0.add("./", kind: "5")
            $0.add("./bin/", kind: "5")
            $0.add("./bin/a", content: [1, 2, 3])
            $0.add("./bin/b", kind: "2", link: "/usr/bin/b")
            $0.add("./bin/c", kind: "1", link: "./bin/a")
            $0.add("..c/...", content: [UInt8](repeating: 7, count: 1024))
        }
        #expect(try verdict(bytes) == nil)
    }

    @Test(
        "names that lead outside are refused",
        arguments: [
            ("/etc/passwd", "absolute"), ("../x", "upwards"), ("a/../../x", "upwards"), ("a/..", "upwards"),
            ("//x", "absolute"),
        ])
    func outside(_ name: String, _ reason: String) throws {
        #expect(try #require(try verdict(archive { $0.add(name) })).contains(reason))
        #expect(try #require(try verdict(archive { $0.add("x", kind: "1", link: name) })).contains(reason))
        let long = archive {
            $0.add("././@LongLink", kind: "L", content: Array(name.utf8) + [0])
            $0.add("harmless")
        }
        #expect(try #require(try verdict(long)).contains(reason))
        let record = "path=\(name)\n"
        let attributes = archive {
            $0.add("pax", kind: "x", content: Array("\(record.utf8.count + 3) \(record)".utf8))
            $0.add("harmless")
        }
        #expect(try #require(try verdict(attributes)).contains(reason))
    }

    @Test("nothing is written through a link of the same archive")
    func throughLinks() throws {
        let direct = archive {
            $0.add("a", kind: "2", link: "/etc")
            $0.add("./a/passwd")
        }
        #expect(try #require(try verdict(direct)).contains("passes through a link"))
        let byHardLink = archive {
            $0.add("a", kind: "2", link: "/etc")
            $0.add("b", kind: "1", link: "a")
            $0.add("b/passwd")
        }
        #expect(try #require(try verdict(byHardLink)).contains("passes through a link"))
        let replaced = archive {
            $0.add("a", kind: "2", link: "/etc/passwd")
            $0.add("a", content: [1])
        }
        #expect(try #require(try verdict(replaced)).contains("first a link"))
    }

    @Test("devices, pipes, sparse files, unknown kinds and double descriptions are refused")
    func oddMembers() throws {
        for kind in "346SDMVXz" { #expect(try verdict(archive { $0.add("x", kind: kind) }) != nil) }
        #expect(try verdict(archive { $0.add("d", kind: "5", content: [1]) }) != nil)
        let twice = archive {
            $0.add("L", kind: "L", content: Array("a\u{0}".utf8))
            $0.add("L", kind: "L", content: Array("b\u{0}".utf8))
            $0.add("x")
        }
        #expect(try verdict(twice) == "a member is described twice")
        let sparse = archive {
            $0.add("pax", kind: "x", content: Array("22 GNU.sparse.major=1\n".utf8))
            $0.add("x")
        }
        #expect(try verdict(sparse) == "it holds a sparse file")
        #expect(try verdict(archive { for index in 0..<9 { $0.add("\(index)") } }) == "more than 8 files")
    }

    @Test("an archive that is cut off, damaged or followed by more is refused")
    func broken() throws {
        let good = archive { $0.add("a", content: [1, 2, 3]) }
        #expect(try verdict([]) == "the archive is cut off")
        for length in stride(from: 1, through: 1024, by: 93) {
            #expect(try verdict(Array(good.prefix(length))) == "the archive is cut off")
        }
        #expect(try verdict(good + [1]) == "bytes follow the end of the archive")
        var damaged = good
        damaged[3] ^= 1
        #expect(try verdict(damaged) == "this is not a tar archive, or a damaged one")
    }

    @Test("no damage to an archive makes the scanner crash", arguments: 1...20)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let good = archive {
            $0.add("pax", kind: "x", content: Array("12 path=a/b\n".utf8))
            $0.add("x", content: [1, 2, 3])
            $0.add("L", kind: "L", content: Array("b\u{0}".utf8))
            $0.add("y", kind: "2", link: "z")
        }
        for _ in 0..<100 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = scan(bytes, step: 700)
        }
    }
}
