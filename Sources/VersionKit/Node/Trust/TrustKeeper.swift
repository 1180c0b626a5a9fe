import Synchronization
import VersionKitJournal
import VersionKitModel
import VersionKitReleases

/// Whom this node trusts with one application, on the disk: ``TrustState`` decides, and nothing that it accepted is acted
/// on before it is kept.
///
///     trust/<application>/root-<number>.json, channel.json, memory.json
///
/// Thread-safe. Without a pinned root there are only the pinned keys, and nothing is kept.
final class TrustKeeper: Sendable {
    private struct Book {
        var state: TrustState?
        var savedLatest = UTCTime(seconds: 0)
        var refused: [String: UInt64] = [:]
    }

    /// What of the clock a crash may lose, in seconds, as long as nothing expires by it.
    private static let clockGrain: Int64 = 60
    private static let memoryBytesMax = 64 << 10

    private let plain: TrustPolicy
    private let directory: String
    private let book: Mutex<Book>
    /// What of the kept documents could not be read, for the operator.
    let problems: [String]

    /// - Parameters:
    ///   - plain: the pinned keys.
    ///   - root: the file of the pinned root, in place of keys.
    ///   - directory: of all applications' documents.
    init(_ plain: TrustPolicy, root: String?, directory: String) throws(ReleaseError) {
        self.plain = plain
        self.directory = "\(directory)/\(plain.application)"
        var problems: [String] = []
        var state: TrustState?
        if let root {
            state = try Self.load(SignedDocument(contentsOf: root), from: self.directory, &problems)
            guard state?.application == plain.application else {
                throw ReleaseError(
                    .otherApplication, "\(root) is not a root of \(plain.application)", side: .node,
                    remedy: "pin the application's own root")
            }
        }
        book = Mutex(Book(state: state, savedLatest: state?.memory.latest ?? UTCTime(seconds: 0)))
        self.problems = problems
    }

    private static func load(
        _ pinned: SignedDocument<TrustRoot>, from directory: String, _ problems: inout [String]
    ) throws(ReleaseError) -> TrustState {
        try Disk.makeDirectory(directory)
        var roots: [SignedDocument<TrustRoot>] = []
        var channel: SignedDocument<ReleaseChannel>?
        var memory = TrustState.Memory()
        for name in try Disk.names(in: directory) {
            let path = "\(directory)/\(name)"
            do throws(ReleaseError) {
                switch name {
                case channelFile: channel = try SignedDocument(contentsOf: path)
                case memoryFile:
                    memory = try JSON.decode(
                        TrustState.Memory.self, from: Disk.readFile(path, bytesMax: memoryBytesMax), what: name)
                case let name where name.hasPrefix("root-"): roots.append(try SignedDocument(contentsOf: path))
                // Unfinished, of a versiond that was killed.
                default: Disk.removeFile(path)
                }
            } catch {
                problems.append("\(path) is left out: \(error)")
            }
        }
        return try TrustState(pinned: pinned, roots: roots, channel: channel, memory: memory)
    }

    private static let channelFile = "channel.json"
    private static let memoryFile = "memory.json"

    /// What is known; `nil` without a pinned root.
    var state: TrustState? { book.withLock { $0.state } }

    /// Documents that were refused, by reason.
    var refused: [String: UInt64] { book.withLock { $0.refused } }

    /// Whose manifests are believed now.
    var policy: TrustPolicy { state?.policy ?? plain }

    /// The versions that have to go, and why.
    var withdrawn: [Version: String] { state?.withdrawn ?? [:] }

    /// The time that counts.
    func now(at clock: UTCTime) -> UTCTime { state?.now(at: clock) ?? clock }

    /// Whether a version may begin to run.
    ///
    /// - Throws: ``ReleaseError`` with the reason why not.
    func checkBeginning(of version: Version, at clock: UTCTime) throws(ReleaseError) {
        try observe(clock)
        try state?.checkBeginning(of: version, at: clock)
    }

    /// The clock went on. What expires by it is kept in mind.
    func observe(_ clock: UTCTime) throws(ReleaseError) {
        try change { (book) throws(ReleaseError) in
            guard var state = book.state else { return }
            let isNewlyExpired = state.obstacle(at: book.savedLatest) == nil && state.obstacle(at: clock) != nil
            state.observe(clock)
            if isNewlyExpired || state.memory.latest >= book.savedLatest + Self.clockGrain {
                try save(state.memory, &book)
            }
            book.state = state
        }
    }

    /// Takes the next root.
    func accept(_ root: SignedDocument<TrustRoot>) throws(ReleaseError) {
        try change { (book) throws(ReleaseError) in
            guard var state = book.state else { throw unrooted }
            try state.accept(root)
            try root.write(to: "\(directory)/root-\(root.content.number).json")
            book.state = state
        }
    }

    /// Takes a newer channel.
    ///
    /// - Returns: whether there is anything new in it.
    func accept(_ channel: SignedDocument<ReleaseChannel>, at clock: UTCTime) throws(ReleaseError) -> Bool {
        var isNew = false
        try change { (book) throws(ReleaseError) in
            guard var state = book.state else { throw unrooted }
            isNew = try state.accept(channel, at: clock)
            guard isNew else { return }
            // What was withdrawn goes first: in between it is neither offered nor forgotten.
            try save(state.memory, &book)
            try channel.write(to: "\(directory)/\(Self.channelFile)")
            book.state = state
        }
        return isNew
    }

    private func save(_ memory: TrustState.Memory, _ book: inout Book) throws(ReleaseError) {
        try Disk.writeAtomically(JSON.encode(memory), to: "\(directory)/\(Self.memoryFile)", by: directory)
        book.savedLatest = memory.latest
    }

    /// One change at a time, on the disk and then here; what is refused is counted.
    private func change(_ body: (inout Book) throws(ReleaseError) -> Void) throws(ReleaseError) {
        let refusal: ReleaseError? = book.withLock { book in
            do throws(ReleaseError) {
                try body(&book)
                return nil
            } catch {
                book.refused[error.code.description, default: 0] += 1
                return error
            }
        }
        if let refusal { throw refusal }
    }

    private var unrooted: ReleaseError {
        ReleaseError(
            .notFound, "no root of \(plain.application) is pinned on this node", side: .node,
            remedy: "name its file as \"root\" in versiond's configuration")
    }
}
