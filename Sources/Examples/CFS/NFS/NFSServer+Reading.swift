import CFSFiles
import CFSModel
import NFS3
import NIOCore

/// Everything but directories' lists.
extension NFSServer {
    func lookUp(_ entry: NFS.DirectoryEntry) async -> NFSResult<NFS.Found, NFSAfter> {
        switch await file(entry.directory) {
        case .failure(let failure): return .failed(failure.status, NFSAfter())
        case .success(let directory):
            let after = NFSAfter(attributes(directory))
            guard directory.inode.isDirectory else { return .failed(.notDirectory, after) }
            guard entry.name.bytes.count <= CFSFileLimits.nameBytes else { return .failed(.nameTooLong, after) }
            guard let name = FileName(entry.name.bytes) else { return .failed(.invalid, after) }
            do {
                let found = try await file(name, in: directory)
                return .done(
                    NFS.Found(
                        file: seal.handle(found.handle), attributes: NFSAfter(attributes(found)), directory: after))
            } catch {
                return .failed(status(error), after)
            }
        }
    }

    private func file(_ name: FileName, in directory: ServedFile<Source>) async throws -> ServedFile<Source> {
        if name == .itself { return directory }
        if name == .parent { return directory.handle == root ? directory : try await parent(of: directory) }
        let files = directory.files
        let id = try await files.lookUp(name, in: directory.id)
        return ServedFile(files: files, handle: handle(id, in: files), id: id, inode: try await files.inode(id))
    }

    func access(_ question: NFS.AccessQuestion) async -> NFSResult<NFS.AccessAnswer, NFSAfter> {
        switch await file(question.file) {
        case .failure(let failure): return .failed(failure.status, NFSAfter())
        case .success(let file):
            let rights: NFS.Access =
                switch file.inode.contents {
                case .regular, .link: [.read]
                case .executable: [.read, .execute]
                case .directory: [.read, .lookUp, .execute]
                case .opaqueDirectory: [.lookUp, .execute]
                }
            return .done(
                NFS.AccessAnswer(
                    file: NFSAfter(attributes(file)), rights: rights.intersection(question.rights)))
        }
    }

    func readLink(_ handle: NFSHandle) async -> NFSResult<NFS.LinkTarget, NFSAfter> {
        switch await file(handle) {
        case .failure(let failure): return .failed(failure.status, NFSAfter())
        case .success(let file):
            let after = NFSAfter(attributes(file))
            guard case .link(let target) = file.inode.contents else { return .failed(.invalid, after) }
            return .done(NFS.LinkTarget(file: after, target: NFSName(target)))
        }
    }

    func read(_ question: NFS.ReadQuestion) async -> NFSResult<NFS.ReadAnswer, NFSAfter> {
        switch await file(question.file) {
        case .failure(let failure): return .failed(failure.status, NFSAfter())
        case .success(let file):
            let after = NFSAfter(attributes(file))
            if file.inode.isDirectory { return .failed(.isDirectory, after) }
            let count = Int(min(question.count, options.readMax))
            let isSequential = isSequential(file.id, at: question.offset, count: count)
            do {
                let found = FoundFile(handle: file.id, inode: file.inode, path: .root)
                let data = try await file.files.read(
                    found, at: question.offset, count: count, ahead: isSequential ? CFSFileLimits.readAhead : 0)
                let (end, isBeyond) = question.offset.addingReportingOverflow(UInt64(data.readableBytes))
                return .done(
                    NFS.ReadAnswer(
                        file: after, count: UInt32(data.readableBytes), isEnd: isBeyond || end >= file.inode.size,
                        data: data))
            } catch {
                return .failed(status(error), after)
            }
        }
    }

    func room(_ handle: NFSHandle) async -> NFSResult<NFS.Room, NFSAfter> {
        switch await file(handle) {
        case .failure(let failure): .failed(failure.status, NFSAfter())
        // Nobody knows how much room a ring has, and there is none to be written to (zeros in CFS 2004, too).
        case .success(let file):
            .done(
                NFS.Room(
                    file: NFSAfter(attributes(file)), totalBytes: 0, freeBytes: 0, availableBytes: 0, totalFiles: 0,
                    freeFiles: 0, availableFiles: 0, seconds: 0))
        }
    }

    func abilities(_ handle: NFSHandle) async -> NFSResult<NFS.Abilities, NFSAfter> {
        switch await file(handle) {
        case .failure(let failure): .failed(failure.status, NFSAfter())
        case .success(let file):
            .done(
                NFS.Abilities(
                    file: NFSAfter(attributes(file)), readMax: options.readMax, readBest: options.readBest,
                    readMultiple: 1, writeMax: options.readMax, writeBest: options.readBest, writeMultiple: 1,
                    directoryBest: options.directoryBest,
                    fileBytesMax: UInt64(Int64.max), timeStep: NFSTime(seconds: 0, nanoseconds: 1),
                    properties: [.symbolicLinks, .isHomogeneous]))
        }
    }

    func pathLimits(_ handle: NFSHandle) async -> NFSResult<NFS.PathLimits, NFSAfter> {
        switch await file(handle) {
        case .failure(let failure): .failed(failure.status, NFSAfter())
        case .success(let file):
            .done(
                NFS.PathLimits(
                    file: NFSAfter(attributes(file)), linksMax: 1, nameBytesMax: UInt32(CFSFileLimits.nameBytes),
                    refusesLongNames: true, isChangeOfOwnerRestricted: true, ignoresCase: false, preservesCase: true))
        }
    }
}
