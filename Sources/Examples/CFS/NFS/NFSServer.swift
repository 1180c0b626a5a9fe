public import CFSFiles
import CFSModel
import NFS3
public import ONCRPC
import Synchronization

/// Serves one file system by NFS version 3 and its program for mounting (RFC 1813), to be read only.
///
/// Whatever is answered was verified from the signed root on. What comes from callers is checked: handles by their codes, names,
/// cookies, and offsets.
public final class NFSServer<Source: BlockSource>: Sendable {
    /// How much is read at a time, and what callers see of it.
    public struct Options: Sendable {
        /// Bytes that one READ gives at most.
        public var readMax: UInt32 = 512 * 1024
        /// Bytes that callers are told to ask for.
        public var readBest: UInt32 = 128 * 1024
        /// Bytes of a directory that callers are told to ask for.
        public var directoryBest: UInt32 = 32 * 1024
        /// Files whose readers' places are remembered, to tell who reads from front to back.
        public var readersMax = 1024

        /// The defaults.
        public init() {}
    }

    let published: PublishedFiles<Source>
    let seal: HandleSeal
    let options: Options
    private let mayPass: @Sendable (any Error) -> Bool
    private let report: @Sendable (String) -> Void
    private let readers = Mutex<[ChordID: UInt64]>([:])

    /// A server.
    ///
    /// - Parameters:
    ///   - secret: What nobody else knows, the same each time the server runs: callers keep their handles over a restart.
    ///   - mayPass: Whether an error of the source may pass, so that callers are told to ask again.
    ///   - report: Is told what went wrong, for people.
    public init(
        _ published: PublishedFiles<Source>, secret: [UInt8], _ options: Options = Options(),
        mayPass: @escaping @Sendable (any Error) -> Bool = { _ in false },
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.published = published
        seal = HandleSeal(name: published.name, secret: secret)
        self.options = options
        self.mayPass = mayPass
        self.report = report
    }

    /// Both programs, for a server of RPC.
    public var services: [RPCService] { [nfsService, mountService] }

    private var nfsService: RPCService {
        var service = RPCService(NFS.program)
        service.on(NFS.getAttributes) { handle, _ async throws(RPCRefusal) in
            switch await self.file(handle) {
            case .success(let file): .done(self.attributes(file))
            case .failure(let failure): .failed(failure.status, XDRVoid())
            }
        }
        service.on(NFS.lookUp) { entry, _ async throws(RPCRefusal) in await self.lookUp(entry) }
        service.on(NFS.access) { question, _ async throws(RPCRefusal) in await self.access(question) }
        service.on(NFS.readLink) { handle, _ async throws(RPCRefusal) in await self.readLink(handle) }
        service.on(NFS.read) { question, _ async throws(RPCRefusal) in await self.read(question) }
        service.on(NFS.readDirectory) { question, _ async throws(RPCRefusal) in await self.readDirectory(question) }
        service.on(NFS.readDirectoryPlus) { question, _ async throws(RPCRefusal) in
            await self.readDirectoryPlus(question)
        }
        service.on(NFS.room) { handle, _ async throws(RPCRefusal) in await self.room(handle) }
        service.on(NFS.abilities) { handle, _ async throws(RPCRefusal) in await self.abilities(handle) }
        service.on(NFS.pathLimits) { handle, _ async throws(RPCRefusal) in await self.pathLimits(handle) }
        refuseChanges(&service)
        return service
    }

    /// Whatever would change something: the file system can only be read.
    private func refuseChanges(_ service: inout RPCService) {
        let refusal = NFSRefusal(.readOnly, NFSChange())
        service.on(NFS.setAttributes) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.write) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.create) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.makeDirectory) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.makeLink) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.makeNode) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.remove) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.removeDirectory) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.commit) { _, _ async throws(RPCRefusal) in refusal }
        service.on(NFS.rename) { _, _ async throws(RPCRefusal) in
            NFSRefusal(.readOnly, NFS.Pair(NFSChange(), NFSChange()))
        }
        service.on(NFS.link) { _, _ async throws(RPCRefusal) in
            NFSRefusal(.readOnly, NFS.Pair(NFSAfter(), NFSChange()))
        }
    }

    /// Whether somebody reads a file from front to back: from its beginning, or near to where it was read last.
    func isSequential(_ inode: ChordID, at offset: UInt64, count: Int) -> Bool {
        let near: UInt64 = 1024 * 1024
        return readers.withLock { readers in
            let last = readers[inode] ?? 0
            // Whichever goes: a reader who is forgotten waits once more, and is known again.
            if readers.count >= options.readersMax, readers[inode] == nil { readers.remove(at: readers.startIndex) }
            readers[inode] = offset &+ UInt64(count)
            return offset <= last &+ near && last <= offset &+ near
        }
    }

    /// What callers are told of an error.
    func status(_ error: any Error) -> NFSStatus {
        if mayPass(error) {
            report("asked to come again: \(error)")
            return .later
        }
        guard let error = error as? FileSystemError else {
            report("\(error)")
            return .serverFault
        }
        switch error.code {
        case .noEntry: return .noEntry
        case .notDirectory: return .notDirectory
        case .notListable: return .access
        case .notFile, .notLink, .badPath: return .invalid
        case .expired, .early, .olderVersion:
            report("\(error)")
            return .stale
        default:
            report("\(error)")
            return .io
        }
    }
}
