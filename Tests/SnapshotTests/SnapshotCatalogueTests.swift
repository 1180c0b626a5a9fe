import Foundation
import Testing
import VersionKitIsolation
import VersionKitModel

@Suite("The snapshots of a node")
struct SnapshotCatalogueTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func add(_ record: SnapshotRecord, to catalogue: SnapshotCatalogue) throws -> SnapshotRecord {
        let directory = try catalogue.begin(record.id)
        try Data(repeating: 1, count: 100_000).write(to: URL(filePath: "\(directory)/file"))
        return try catalogue.finish(record)
    }

    @Test("a finished snapshot is listed with its size, found and removed, also by the next process")
    func life() throws {
        let added = try add(try snapshot(1), to: try SnapshotCatalogue(directory: folder.path))
        #expect(added.bytes >= 100_000)
        let catalogue = try SnapshotCatalogue(directory: folder.path)
        #expect(try catalogue.list().records == [added])
        let directory = try catalogue.directory(of: added.id)
        #expect(FileManager.default.fileExists(atPath: "\(directory)/file"))
        try catalogue.remove(added.id)
        #expect(try catalogue.list().records.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: directory))
        #expect(throws: IsolationError.self) { try catalogue.directory(of: added.id) }
        #expect(throws: IsolationError.self) { try catalogue.remove(added.id) }
    }

    @Test("what is not finished is not there, and is swept after a crash")
    func crash() throws {
        let catalogue = try SnapshotCatalogue(directory: folder.path)
        let record = try snapshot(1)
        let directory = try catalogue.begin(record.id)
        try Data("half".utf8).write(to: URL(filePath: "\(directory)/file"))
        #expect(try catalogue.list().records.isEmpty)
        #expect(throws: IsolationError.self) { try catalogue.begin(record.id) }
        _ = try SnapshotCatalogue(directory: folder.path)
        #expect(try folder.names("incoming").isEmpty)
    }

    @Test("what was given up leaves nothing")
    func abandoned() throws {
        let catalogue = try SnapshotCatalogue(directory: folder.path)
        let record = try snapshot(1)
        _ = try catalogue.begin(record.id)
        try catalogue.abandon(record.id)
        #expect(try folder.names("incoming").isEmpty)
    }

    @Test("a damaged record is told of, hides no other, and can be removed")
    func damage() throws {
        let catalogue = try SnapshotCatalogue(directory: folder.path)
        let records = try (1...3).map { try add(try snapshot($0), to: catalogue) }
        try Data("{".utf8).write(to: URL(filePath: "\(folder.path)/snapshots/\(records[0].id)/snapshot.json"))
        // Somebody's copy is not the snapshot that its record names.
        try FileManager.default.copyItem(
            atPath: "\(folder.path)/snapshots/\(records[1].id)", toPath: "\(folder.path)/snapshots/copied")
        let listing = try catalogue.list()
        #expect(listing.records == [records[1], records[2]])
        #expect(listing.damaged.keys.sorted() == ["copied", records[0].id.rawValue])
        try catalogue.remove(records[0].id)
        #expect(try catalogue.list().damaged.count == 1)
    }

    @Test("what is too much is removed, and the rest stays")
    func expiry() throws {
        let catalogue = try SnapshotCatalogue(directory: folder.path)
        let records = try (1...4).map { try add(try snapshot($0), to: catalogue) }
        let removed = try catalogue.expire(SnapshotRetention(countMax: 2), at: 10)
        #expect(removed == [records[0], records[1]])
        #expect(try catalogue.list().records == [records[2], records[3]])
    }

    @Test("a catalogue on btrfs removes subvolumes too")
    func subvolumes() async throws {
        try await withDisk(.btrfs) { root in
            try Subvolume.makeDirectory("\(root)/base")
            try await sh("mkdir '\(root)/base/upper'; echo 1 >'\(root)/base/upper/file'")
            let catalogue = try SnapshotCatalogue(directory: "\(root)/catalogue")
            let record = try snapshot(1)
            let directory = try catalogue.begin(record.id)
            let figures = try await FileSnapshot.take(
                ["upper"], of: "\(root)/base", to: "\(directory)/files", limit: .seconds(30))
            #expect(figures.method == .subvolume)
            try catalogue.finish(record)
            #expect(try await sh("cat '\(catalogue.directory(of: record.id))/files/upper/file'") == "1\n")
            try catalogue.remove(record.id)
            #expect(try await sh("btrfs subvolume list -o '\(root)' | wc -l") == "1\n")
        }
    }
}

@Suite("Which snapshots are kept")
struct SnapshotRetentionTests {
    @Test("the newest are kept, so many of each application")
    func count() throws {
        let records = try [3, 1, 2].map { try snapshot($0) } + [try snapshot(1, application: "other")]
        #expect(SnapshotRetention(countMax: 2).expired(records, at: 3) == [try snapshot(1)])
        #expect(SnapshotRetention(countMax: 0).expired(records, at: 3).count == 4)
    }

    @Test("none is kept for longer than the time, to the second, and one from the future is young")
    func age() throws {
        let records = try [10, 11, 500].map { try snapshot($0) }
        let retention = SnapshotRetention(countMax: 9, ageMax: .seconds(100))
        #expect(retention.expired(records, at: 111) == [try snapshot(10)])
    }

    @Test("an operator's are counted by themselves")
    func operators() throws {
        let asked = try snapshot(1, reason: .byOperator)
        let records = [asked] + (try (2...4).map { try snapshot($0) })
        #expect(SnapshotRetention(countMax: 1).expired(records, at: 4) == [try snapshot(2), try snapshot(3)])
    }

    @Test("a name has what a directory's name may have, and tells whose snapshot it is")
    func names() throws {
        #expect(SnapshotID(rawValue: "irislog-2-17-abcd") != nil)
        for name in ["", ".", "..", "a/b", "A", String(repeating: "a", count: 128)] {
            #expect(SnapshotID(rawValue: name) == nil)
        }
        var random = SystemRandomNumberGenerator()
        let application = try #require(ApplicationID(rawValue: String(repeating: "a", count: ApplicationID.lengthMax)))
        let id = SnapshotID(application, 4_294_967_295, time: .max, using: &random)
        #expect(id.rawValue.hasPrefix("\(application)-4294967295-") && SnapshotID(rawValue: id.rawValue) == id)
    }
}

/// A snapshot that was made at this second.
private func snapshot(
    _ time: Int64, application: String = "irislog", reason: SnapshotRecord.Reason = .beforeUpgrade
) throws -> SnapshotRecord {
    SnapshotRecord(
        id: try #require(SnapshotID(rawValue: "\(application)-\(time)")),
        application: try #require(ApplicationID(rawValue: application)), version: 2, level: .files,
        kind: .namespaces, time: time, bytes: 0, reason: reason)
}
