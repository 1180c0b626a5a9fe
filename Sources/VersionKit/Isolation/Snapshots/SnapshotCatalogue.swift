import Glibc
import VersionKitReleases

/// The snapshots of a node on its disk: those that are finished, and room for those that are being made.
///
///     incoming/ID/             being made, or being removed: what a crash leaves is swept
///     snapshots/ID/            finished: it came here at one stroke
///         snapshot.json        what is known of it
///         ...                  what its environment's backend put there
///
/// One process at a time has a catalogue. Calls block.
package struct SnapshotCatalogue: Sendable {
    private static let recordName = "snapshot.json"
    private static let recordBytesMax = 64 << 10

    private let incoming: String
    private let snapshots: String

    /// What is in a catalogue.
    package struct Listing: Sendable {
        /// The snapshots, the oldest first.
        package var records: [SnapshotRecord] = []
        /// The names of those that cannot be read, and why; they can be removed, but are not by themselves.
        package var damaged: [String: String] = [:]
    }

    /// Opens the catalogue in a directory, or makes one; removes what was not finished when its last user ended.
    package init(directory: String) throws(IsolationError) {
        incoming = "\(directory)/incoming"
        snapshots = "\(directory)/snapshots"
        try onDisk { [incoming, snapshots] () throws(ReleaseError) in
            // Files of applications are nobody else's business.
            for path in [directory, incoming, snapshots] { try Disk.makeDirectory(path, mode: 0o700) }
        }
        for name in try names(in: incoming) { try Self.removeTree("\(incoming)/\(name)") }
    }

    /// Begins a snapshot.
    ///
    /// - Returns: the path of an empty directory for its files. ``finish(_:)`` or ``abandon(_:)`` ends it.
    package func begin(_ id: SnapshotID) throws(IsolationError) -> String {
        let path = "\(incoming)/\(id)"
        guard mkdir(path, 0o700) == 0 else { throw .system("make the directory \(path)") }
        return path
    }

    /// Adds a snapshot that was begun, and whose files are there. After a power cut it is there as a whole or not at all.
    ///
    /// - Returns: the record, with the bytes that it takes on the disk.
    @discardableResult
    package func finish(_ record: SnapshotRecord) throws(IsolationError) -> SnapshotRecord {
        let path = "\(incoming)/\(record.id)"
        var record = record
        record.bytes = FileTree.bytes(of: path)
        let directory = try OpenDirectory(path)
        try onDisk { [record] () throws(ReleaseError) in
            try Disk.writeAtomically(JSON.encode(record), to: "\(path)/\(Self.recordName)", by: path)
        }
        try directory.flushFileSystem(path)
        try onDisk { [record, snapshots] () throws(ReleaseError) in
            try Disk.move(path, to: "\(snapshots)/\(record.id)")
            try Disk.flushDirectory(snapshots)
        }
        return record
    }

    /// Removes what was begun and cannot be finished.
    package func abandon(_ id: SnapshotID) throws(IsolationError) { try Self.removeTree("\(incoming)/\(id)") }

    /// All snapshots.
    package func list() throws(IsolationError) -> Listing {
        var listing = Listing()
        for name in try names(in: snapshots) {
            do throws(IsolationError) {
                listing.records.append(try record(name))
            } catch {
                listing.damaged[name] = "\(error)"
            }
        }
        listing.records.sort { ($0.time, $0.id.rawValue) < ($1.time, $1.id.rawValue) }
        return listing
    }

    /// Where the files of a snapshot are.
    ///
    /// - Throws: if there is none of this name.
    package func directory(of id: SnapshotID) throws(IsolationError) -> String {
        let path = "\(snapshots)/\(id)"
        guard access(path, F_OK) == 0 else {
            throw IsolationError("there is no snapshot \(id): see the list of snapshots")
        }
        return path
    }

    /// Removes a snapshot, damaged or not.
    ///
    /// - Important: nothing may run on its files.
    /// - Throws: if there is none of this name.
    package func remove(_ id: SnapshotID) throws(IsolationError) {
        let path = try directory(of: id)
        // First its name, at one stroke: a crash leaves something to sweep, never half a snapshot.
        let trash = "\(incoming)/removed-\(id)"
        try onDisk { [snapshots] () throws(ReleaseError) in
            try Disk.move(path, to: trash)
            try Disk.flushDirectory(snapshots)
        }
        try Self.removeTree(trash)
    }

    /// Removes what is too old or too much.
    ///
    /// - Parameter now: the time, in seconds since 1970.
    /// - Returns: what was removed.
    @discardableResult
    package func expire(_ retention: SnapshotRetention, at now: Int64) throws(IsolationError) -> [SnapshotRecord] {
        let expired = retention.expired(try list().records, at: now)
        for record in expired { try remove(record.id) }
        return expired
    }

    private func record(_ name: String) throws(IsolationError) -> SnapshotRecord {
        let path = "\(snapshots)/\(name)/\(Self.recordName)"
        let record = try onDisk { () throws(ReleaseError) in
            try JSON.decode(
                SnapshotRecord.self, from: Disk.readFile(path, bytesMax: Self.recordBytesMax), what: path)
        }
        guard record.id.rawValue == name else {
            throw IsolationError("\(path) is the record of \(record.id): it was copied here by hand")
        }
        return record
    }

    private func names(in directory: String) throws(IsolationError) -> [String] {
        try onDisk { () throws(ReleaseError) in try Disk.names(in: directory) }
    }

    /// Removes a snapshot's directory; its parts may be subvolumes, which go quicker as a whole.
    private static func removeTree(_ path: String) throws(IsolationError) {
        let parts = try? Disk.names(in: path)
        for part in parts ?? [] { try Subvolume.removeDirectory("\(path)/\(part)") }
        try Subvolume.removeDirectory(path)
    }
}
