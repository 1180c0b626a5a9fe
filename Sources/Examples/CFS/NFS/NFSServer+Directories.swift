import CFSFiles
import CFSModel
import NFS3

/// Directories in slices. A cookie is the number of entries before; it is good as long as the directory is the same, which
/// the verifier tells, a part of the hash.
extension NFSServer {
    /// Bytes of the results besides entries: status, attributes, verifier, the end of the list, the flag.
    private static var frameBytes: Int { 4 + 88 + 8 + 4 + 4 }
    /// Bytes of an entry's attributes and handle.
    private static var plusBytes: Int { 88 + 4 + 4 + (HandleSeal.byteCount + 3) / 4 * 4 }

    private struct Slice {
        var directory: ServedFile<Source>
        var after: NFSAfter
        var verifier: UInt64
        /// With the cookies to go on behind them.
        var entries: [(entry: Directory.Entry, cookie: UInt64)]
        var isEnd: Bool
    }

    func readDirectory(
        _ question: NFS.DirectoryQuestion
    ) async -> NFSResult<NFS.DirectoryAnswer<NFS.DirectoryName>, NFSAfter> {
        let room = Int(min(question.count, options.readMax))
        switch await slice(question.directory, question.cookie, question.verifier, names: room, all: room, plus: 0) {
        case .failure(let failure): return .failed(failure.status, failure.after)
        case .success(let slice):
            do {
                var names: [NFS.DirectoryName] = []
                for (entry, cookie) in slice.entries {
                    let id = try await fileID(entry, in: slice.directory)
                    names.append(NFS.DirectoryName(fileID: id, name: NFSName(entry.name.bytes), cookie: cookie))
                }
                return .done(
                    NFS.DirectoryAnswer(
                        directory: slice.after, verifier: slice.verifier, entries: names, isEnd: slice.isEnd))
            } catch {
                return .failed(status(error), slice.after)
            }
        }
    }

    func readDirectoryPlus(
        _ question: NFS.DirectoryPlusQuestion
    ) async -> NFSResult<NFS.DirectoryAnswer<NFS.DirectoryNamePlus>, NFSAfter> {
        let room = Int(min(question.count, options.readMax))
        let names = Int(min(question.namesCount, options.readMax))
        switch await slice(
            question.directory, question.cookie, question.verifier, names: names, all: room, plus: Self.plusBytes)
        {
        case .failure(let failure): return .failed(failure.status, failure.after)
        case .success(let slice):
            do {
                return .done(
                    NFS.DirectoryAnswer(
                        directory: slice.after, verifier: slice.verifier, entries: try await plus(slice),
                        isEnd: slice.isEnd))
            } catch {
                return .failed(status(error), slice.after)
            }
        }
    }

    private func plus(_ slice: Slice) async throws -> [NFS.DirectoryNamePlus] {
        let files = slice.directory.files
        await files.expect(slice.entries.compactMap(\.entry.inode))
        var names: [NFS.DirectoryNamePlus] = []
        for (entry, cookie) in slice.entries {
            var name = NFS.DirectoryNamePlus(
                fileID: try await fileID(entry, in: slice.directory), name: NFSName(entry.name.bytes), cookie: cookie,
                attributes: NFSAfter(), file: nil)
            // A file that cannot be had does not hide the others: whoever wants it looks it up, and hears why.
            if let id = entry.inode, let inode = try? await files.inode(id) {
                let file = ServedFile(files: files, handle: handle(id, in: files), id: id, inode: inode)
                name.attributes = NFSAfter(attributes(file))
                name.file = seal.handle(file.handle)
            }
            names.append(name)
        }
        return names
    }

    private func fileID(_ entry: Directory.Entry, in directory: ServedFile<Source>) async throws -> UInt64 {
        if let inode = entry.inode { return fileID(handle(inode, in: directory.files)) }
        if entry.name == .itself || directory.handle == root { return fileID(directory.handle) }
        return fileID(try await parent(of: directory).handle)
    }

    private struct Refused: Error {
        var status: NFSStatus
        var after: NFSAfter
    }

    private func slice(
        _ handle: NFSHandle, _ cookie: UInt64, _ verifier: UInt64, names: Int, all: Int, plus: Int
    ) async -> Result<Slice, Refused> {
        let directory: ServedFile<Source>
        switch await file(handle) {
        case .failure(let failure): return .failure(Refused(status: failure.status, after: NFSAfter()))
        case .success(let file): directory = file
        }
        let after = NFSAfter(attributes(directory))
        let entries: [Directory.Entry]
        do { entries = try await directory.files.list(directory.id) } catch {
            return .failure(Refused(status: status(error), after: after))
        }
        let mark = FileHandle(file: .inode(directory.id), blockSize: 0)
        guard cookie == 0 || verifier == fileID(mark), let first = Int(exactly: cookie), first <= entries.count else {
            return .failure(Refused(status: .badCookie, after: after))
        }
        var slice = Slice(directory: directory, after: after, verifier: fileID(mark), entries: [], isEnd: true)
        var (namesLeft, left) = (names, all - Self.frameBytes)
        for (index, entry) in entries.enumerated().dropFirst(first) {
            // A flag, the number, the length of the name, the name, the cookie.
            let bytes = 4 + 8 + 4 + (entry.name.bytes.count + 3) / 4 * 4 + 8
            namesLeft -= bytes
            left -= bytes + plus
            guard namesLeft >= 0, left >= 0 else {
                slice.isEnd = false
                break
            }
            slice.entries.append((entry, UInt64(index + 1)))
        }
        if slice.entries.isEmpty, !slice.isEnd { return .failure(Refused(status: .tooSmall, after: after)) }
        return .success(slice)
    }
}
