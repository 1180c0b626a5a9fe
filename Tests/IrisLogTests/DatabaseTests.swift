import Glibc
@testable import IrisLogCore
import Testing

struct DatabaseTests {
    private let directory: TemporaryDirectory
    private let hierarchy: Hierarchy
    private let n1 = hamburg + "/node[@id='n1']"

    init() throws {
        directory = try TemporaryDirectory()
        hierarchy = try Hierarchy(xml: hierarchyXML(a: "a", b: "b", c: "c"))
    }

    private func open(logLimit: Int = Limits.logBytes) throws -> Database {
        try Database(directory: directory.path, hierarchy: hierarchy, me: "b", logLimit: logLimit)
    }

    @Test("What was acknowledged is there after a restart")
    func reopen() async throws {
        let first = try open()
        try await first.update(path: try path(n1), reading: try reading(1, "one <&> \u{e4}"))
        try await first.update(path: try path(n1), reading: try reading(2, "two"))
        let second = try open()
        #expect(try second.export() == first.export())
        #expect(try second.items(n1 + "/current/text()") == ["two"])
        #expect(try second.items(n1 + "/reading[1]").first?.contains("one &lt;&amp;&gt; \u{e4}") == true)
    }

    @Test("A torn last record is cut off, what was before it stays, and the log goes on")
    func tornTail() async throws {
        try await open().update(path: try path(n1), reading: try reading(1, "one"))
        let log = directory.path + "/update.log"
        var status = stat()
        #expect(stat(log, &status) == 0)
        let whole = status.st_size
        try await open().update(path: try path(n1), reading: try reading(2, "two"))
        #expect(truncate(log, whole + 9) == 0)
        let database = try open()
        #expect(try database.items("count(//reading)") == ["1"])
        #expect(stat(log, &status) == 0 && status.st_size == whole)
        try await database.update(path: try path(n1), reading: try reading(3, "three"))
        #expect(try open().items("//reading/@sequence") == ["1", "3"])
    }

    @Test("A log that grew beyond its limit is folded into the snapshot")
    func compaction() async throws {
        let database = try open(logLimit: 2000)
        for sequence in UInt64(1)...100 {
            try await database.update(path: try path(n1), reading: try reading(sequence, "v\(sequence)"))
        }
        let again = try open()
        #expect(try again.export() == database.export())
        #expect(access(directory.path + "/database.xml", F_OK) == 0)
        #expect(try again.items("count(//reading)") == ["100"])
    }

    @Test("Repeating an update changes nothing, and the newest reading is the current one")
    func idempotent() async throws {
        let database = try open()
        try await database.update(path: try path(n1), reading: try reading(5, at: 500, "new"))
        try await database.update(path: try path(n1), reading: try reading(4, at: 400, "late"))
        try await database.update(path: try path(n1), reading: try reading(5, at: 900, "forged"))
        #expect(try database.items("//current/text()") == ["new"])
        #expect(try database.items("//reading/text()") == ["new", "late"])
        try await database.update(path: try path(n1), reading: try reading(6, at: 500, "same time"))
        #expect(try database.items("//current/text()") == ["same time"])
    }

    @Test("A merge adds what is missing and never replaces or removes")
    func merge() async throws {
        let database = try open()
        try await database.update(path: try path(n1), reading: try reading(1, "mine"))
        let other = """
            <country id="earth"><region id="north"><site id="hamburg"><node id="n1">
            <current sensor="load" sequence="9" at="99000">nine</current>
            <reading sensor="load" sequence="1" at="1">theirs</reading>
            <reading sensor="load" sequence="2" at="2000">two</reading>
            <reading sensor="bad name" sequence="3" at="1">x</reading><other/>
            </node><node id="n2"><reading sensor="load" sequence="1" at="1">not mine</reading></node></site></region>
            </country>
            """
        #expect(try await database.merge(xml: other) == 1)
        #expect(try await database.merge(xml: other) == 0)
        #expect(try database.items("//reading/text()") == ["mine", "two"])
        #expect(try database.items("//current/text()") == ["nine"])
        #expect(try open().export() == database.export())
        for bad in ["", "<country", "<other/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><country id='earth'>&b;</country>"] {
            await #expect(throws: IrisLogError.self) { _ = try await database.merge(xml: bad) }
        }
    }

    @Test("A node keeps its newest readings when it is full")
    func full() async throws {
        let database = try open()
        let readings = (1...Limits.readingsPerNode).map {
            "<reading sensor=\"s\" sequence=\"\($0)\" at=\"\($0)\">v</reading>"
        }
        let xml =
            "<country id=\"earth\"><region id=\"north\"><site id=\"hamburg\"><node id=\"n1\">" + readings.joined()
            + "</node></site></region></country>"
        #expect(try await database.merge(xml: xml) == Limits.readingsPerNode)
        try await database.update(path: try path(n1), reading: try reading(1_000_000, "last", sensor: "s"))
        #expect(database.droppedReadings == 1)
        #expect(try database.items("count(\(n1)/reading)") == ["\(Limits.readingsPerNode)"])
        #expect(try database.items(n1 + "/reading[1]/@sequence") == ["2"])
    }

    @Test("A database of many megabytes is there after a restart")
    func large() async throws {
        let first = try open(logLimit: 0)
        let value = String(repeating: "&", count: Limits.valueBytes)
        for start in stride(from: UInt64(0), to: 700, by: 100) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sequence in start..<start + 100 {
                    group.addTask { try await first.update(path: path(n1), reading: reading(sequence, value)) }
                }
                try await group.waitForAll()
            }
        }
        #expect(try open().items("count(//reading)") == ["700"])
        #expect(try open().export().utf8.count > 14_000_000)
    }

    @Test("The bytes counted are never less than those of the XML, also when readings are dropped")
    func countedBytes() throws {
        var tree = try DatabaseTree(hierarchy: hierarchy, me: "b")
        let empty = try tree.tree.serialized().utf8.count
        for sequence in 0..<UInt64(Limits.readingsPerNode + 100) {
            tree.add(try reading(.max - sequence, at: .max - sequence, "<&>\u{e4}\t"), at: try path(n1))
        }
        let full = try tree.tree.serialized().utf8.count - empty
        #expect(tree.dropped == 100)
        #expect(tree.bytes >= full && tree.bytes < 2 * full)
    }

    @Test("An expression that is nested too deeply is refused")
    func deepExpressions() throws {
        let database = try open()
        let depth = Limits.lineBytes / 2
        for deep in [
            String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth - 1),
            "/country" + String(repeating: "[a", count: depth / 2 - 8) + String(repeating: "]", count: depth / 2 - 8),
        ] {
            #expect(throws: IrisLogError.self) { _ = try database.items(deep) }
        }
        #expect(try database.items("1 " + String(repeating: "+1", count: depth - 8)) == ["\(depth - 7)"])
    }

    @Test("Values with characters that XML cannot carry are refused", arguments: ["\u{1}", "a\rb", "\u{FFFF}"])
    func badValues(value: String) {
        #expect(throws: IrisLogError.self) { _ = try reading(1, value) }
    }

    @Test("A line feed in a value does not become one in an item")
    func lineFeeds() async throws {
        let database = try open()
        try await database.update(path: try path(n1), reading: try reading(1, "a\nb"))
        #expect(try database.items("//current/text()") == ["a&#10;b"])
        #expect(try database.items("string(//current)") == ["a&#10;b"])
        #expect(try open().export() == database.export())
    }

    @Test("Different owners, unknown nodes and levels above the nodes are refused")
    func refusals() async throws {
        let database = try open()
        await #expect(throws: IrisLogError(.notOwner, "c")) {
            try await database.update(path: try path(kiel + "/node[@id='k1']"), reading: try reading(1, "v"))
        }
        for bad in [hamburg, hamburg + "/node[@id='n9']"] {
            await #expect(throws: IrisLogError.self) {
                try await database.update(path: try path(bad), reading: try reading(1, "v"))
            }
        }
    }
}
