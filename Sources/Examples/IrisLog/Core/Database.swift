import Synchronization

/// A server's own part of the data: a libxml2 tree in memory, a snapshot and an update log on the disk.
///
/// A call that changes something returns after the change is durable.
public final class Database: Sendable {
    /// Tree and last serial number change together; `@unchecked` because the lock around it is what protects it.
    fileprivate struct State: @unchecked Sendable {
        var tree: DatabaseTree
        var serial: UInt64
    }

    private let state: Mutex<State>
    private let log: UpdateLog
    private let directory: String
    private let logLimit: Int
    private let me: String
    private let hierarchy: Hierarchy

    /// Opens the database of the server `me`, creating the directory if necessary.
    public init(
        directory: String, hierarchy: Hierarchy, me: String, logLimit: Int = Limits.logBytes
    ) throws(IrisLogError) {
        try Files.createDirectory(directory)
        self.directory = directory
        self.logLimit = logLimit
        self.me = me
        self.hierarchy = hierarchy
        var state = State(tree: try DatabaseTree(hierarchy: hierarchy, me: me), serial: 0)
        try Self.load(directory + "/" + Self.snapshotName, into: &state)
        log = try UpdateLog(path: directory + "/update.log") { record in
            // The snapshot already has what was logged before it was taken.
            guard record.serial > state.serial else { return }
            state.serial = record.serial
            Self.apply(record.kind, record.reading, at: record.path, to: &state.tree)
        }
        self.state = Mutex(state)
        try Files.synchronize(directory: directory)
        log.onFlush { [weak self] size in
            if size > logLimit { self?.compact() }
        }
    }

    /// Adds a reading of an owned node; a reading that is already there is acknowledged and left alone.
    public func update(path: IDPath, reading: Reading) async throws(IrisLogError) {
        guard let element = hierarchy.element(at: path), element.level == .node else {
            throw IrisLogError(.syntax, "there is no node \(path.xpath)")
        }
        guard element.host == me else { throw IrisLogError(.notOwner, element.host) }
        let refusal: IrisLogError? = state.withLock { state in
            if state.tree.contains(reading, at: path) { return nil }
            guard state.tree.hasRoom(for: reading, at: path) else {
                return IrisLogError(.limit, "too many sensors, or too much data")
            }
            state.tree.add(reading, at: path)
            enqueue(.reading, reading, at: path, &state)
            return nil
        }
        if let refusal { throw refusal }
        // Also for a repeated update: its first copy may still be on the way to the disk.
        try await log.flushed()
    }

    /// Adds the readings of another server's export that are missing here; returns how many were.
    public func merge(xml: String) async throws(IrisLogError) -> Int {
        guard xml.utf8.count <= Limits.documentBytes else { throw IrisLogError(.limit, "database too large") }
        let other = try XMLTree(parsing: Array(xml.utf8))
        guard let country = other.root, XMLElement.name(country) == Level.country.name else {
            throw IrisLogError(.syntax, "not a database")
        }
        var records: [(IDPath, LogRecord.Kind, Reading)] = []
        try DatabaseReader.records(below: country) { (path, kind, reading) in records.append((path, kind, reading)) }
        let incoming = records
        let added = state.withLock { state in
            incoming.reduce(0) { $0 + (merge($1.1, $1.2, at: $1.0, &state) ? 1 : 0) }
        }
        try await log.flushed()
        return added
    }

    /// The local database as XML.
    public func export() throws(IrisLogError) -> String {
        try locked { (tree) throws(IrisLogError) in try tree.tree.serialized() }
    }

    /// Evaluates an XPath expression on the local data.
    public func items(_ xpath: String) throws(IrisLogError) -> [String] {
        try locked { (tree) throws(IrisLogError) in try tree.tree.items(xpath) }
    }

    /// How many readings were dropped because their node was full.
    public var droppedReadings: Int { state.withLock { $0.tree.dropped } }

    /// Writes a snapshot and empties the log.
    private func compact() {
        do throws(IrisLogError) {
            let (serial, result) = state.withLock { state in
                (state.serial, Result { () throws(IrisLogError) in try state.tree.tree.serialized() })
            }
            let text = "<database serial=\"\(serial)\">\(try result.get())</database>\n"
            let path = directory + "/" + Self.snapshotName
            try Files.replace(path, with: Array(text.utf8), in: directory)
            try log.truncate()
        } catch {
            // The log still has everything; the next flush tries again.
        }
    }

    private func locked<Value: Sendable>(
        _ body: (DatabaseTree) throws(IrisLogError) -> Value
    ) throws(IrisLogError) -> Value {
        try state.withLock { state in Result { () throws(IrisLogError) in try body(state.tree) } }.get()
    }

    private func merge(_ kind: LogRecord.Kind, _ reading: Reading, at path: IDPath, _ state: inout State) -> Bool {
        // A full node keeps what it has: a merge never removes.
        guard state.tree.hasRoom(for: reading, at: path) else { return false }
        switch kind {
        case .reading:
            guard !state.tree.isFull(path), !state.tree.contains(reading, at: path) else { return false }
            state.tree.add(reading, at: path)
            enqueue(kind, reading, at: path, &state)
            return true
        case .current:
            if state.tree.addCurrent(reading, at: path) { enqueue(kind, reading, at: path, &state) }
            return false
        }
    }

    private func enqueue(_ kind: LogRecord.Kind, _ reading: Reading, at path: IDPath, _ state: inout State) {
        state.serial += 1
        log.queue(LogRecord(serial: state.serial, kind: kind, path: path, reading: reading).encoded)
    }
}

extension Database {
    fileprivate static let snapshotName = "database.xml"

    fileprivate static func load(_ path: String, into state: inout State) throws(IrisLogError) {
        guard let bytes = try Files.read(path, limit: Limits.snapshotBytes) else { return }
        let snapshot = try XMLTree(parsing: bytes)
        guard let root = snapshot.root, XMLElement.name(root) == "database",
            let serial = XMLElement.attribute("serial", of: root).flatMap(UInt64.init),
            let top = XMLElement.children(root).first
        else { throw IrisLogError(.internal, "\(path) is not a snapshot") }
        state.serial = serial
        try DatabaseReader.records(below: top) { (path, kind, reading) in
            apply(kind, reading, at: path, to: &state.tree)
        }
    }

    fileprivate static func apply(
        _ kind: LogRecord.Kind, _ reading: Reading, at path: IDPath, to tree: inout DatabaseTree
    ) {
        switch kind {
        case .reading: tree.add(reading, at: path)
        case .current: _ = tree.addCurrent(reading, at: path)
        }
    }
}
