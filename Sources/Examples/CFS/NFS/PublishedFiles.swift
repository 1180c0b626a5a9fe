public import CFSFiles
public import CFSModel

/// A file system as it is published now: opened anew from time to time, never an older one, never one that its publisher does
/// not vouch for any more.
public actor PublishedFiles<Source: BlockSource> {
    /// Which one.
    public nonisolated let name: ChordID

    private let source: Source
    private let refresh: Duration
    private let allowsExpired: Bool
    private let clock: @Sendable () -> (day: UInt64, elapsed: Duration)
    private let saw: @Sendable (UInt32) -> Void
    private var files: FileSystem<Source>?
    private var seen: UInt32?
    private var opened = Duration.zero
    private var opening: Task<FileSystem<Source>, any Error>?

    /// A file system that is opened when it is asked for first.
    ///
    /// - Parameters:
    ///   - seen: The version that was seen last; nil if none was.
    ///   - refresh: How long what was opened is good for.
    ///   - allowsExpired: Whether it matters that the publisher does not vouch for it any more.
    ///   - clock: Seconds since the beginning of 1970, and the time by a clock that nobody sets.
    ///   - saw: Is told each version.
    public init(
        _ name: ChordID, from source: Source, seen: UInt32? = nil, refresh: Duration = .seconds(30),
        allowsExpired: Bool = false, clock: @escaping @Sendable () -> (day: UInt64, elapsed: Duration),
        saw: @escaping @Sendable (UInt32) -> Void = { _ in }
    ) {
        self.name = name
        self.source = source
        self.seen = seen
        self.refresh = refresh
        self.allowsExpired = allowsExpired
        self.clock = clock
        self.saw = saw
    }

    /// What is published now, as far as is known.
    ///
    /// - Throws: `FileSystemError`, and whatever the source throws, if there is nothing that is still good.
    public func current() async throws -> FileSystem<Source> {
        let now = clock()
        if let files, now.elapsed - opened < refresh, isGood(files, now.day) { return files }
        do {
            return try await open(now.day)
        } catch {
            // Nobody can be asked: what was right a moment ago still is.
            if let files, isGood(files, now.day), !(error is FileSystemError) { return files }
            throw error
        }
    }

    private func isGood(_ files: FileSystem<Source>, _ day: UInt64) -> Bool {
        allowsExpired || day < files.info.end
    }

    private func open(_ day: UInt64) async throws -> FileSystem<Source> {
        if let opening { return try await opening.value }
        let (name, source, seen, now) = (name, source, seen, allowsExpired ? nil : day)
        let task = Task { try await FileSystem.open(name, from: source, seen: seen, at: now) }
        opening = task
        defer { opening = nil }
        let files = try await task.value
        if files.version != self.seen { saw(files.version) }
        self.files = files
        self.seen = files.version
        opened = clock().elapsed
        return files
    }
}
