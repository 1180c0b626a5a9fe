public import CFSModel
public import ONCRPC

/// Why a file system cannot be read or published, and at which block.
public struct FileSystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Code: Hashable, Sendable {
        // What blocks are.
        /// Nobody has the block.
        case missing
        /// The block's content is not what its name says.
        case wrongContent
        /// The block is longer than a block can be.
        case tooLarge(bytes: Int)
        /// The block is not what a block of a file system may be.
        case malformed(XDRError)
        /// The block is of another kind than the one that names it says.
        case wrongKind(FileBlock.Kind, expected: FileBlock.Kind)
        /// A block of a file's bytes has another length than the file's size says.
        case wrongLength(bytes: Int, expected: Int)
        /// A file's inode or indirect block does not name a block that the file's size says it has.
        case unnamedBlock(index: Int)
        /// The size of a file is more than a file can have.
        case fileTooLarge(bytes: UInt64)
        /// Directories lie within each other more deeply than so many.
        case tooDeep(max: Int)
        /// More blocks than the caller was willing to fetch.
        case tooManyBlocks(max: Int)

        // Signed blocks.
        /// The signature is not that of the key.
        case badSignature
        /// The key, with the salt, is not the one that the block's name says.
        case wrongKey
        /// The version is older than one that was seen.
        case olderVersion(UInt32, seen: UInt32)
        /// The publisher does not vouch for it any more, since this second after the beginning of 1970.
        case expired(UInt64)
        /// The publisher does not vouch for it yet, but from this second on.
        case early(UInt32)
        /// There is no later version than the one that was seen: four bytes can say no more.
        case noLaterVersion

        // Paths.
        /// There is no file of this name.
        case noEntry(FileName)
        /// A name or a path that no file can have.
        case badPath
        /// The path goes through something that is no directory.
        case notDirectory
        /// The directory may be searched, but not listed.
        case notListable
        /// The file has no bytes to read: it is a directory or a link.
        case notFile
        /// The file is no symbolic link.
        case notLink
        /// More symbolic links on one path than so many.
        case tooManyLinks(max: Int)

        /// There is no snapshot of this date.
        case noSnapshot(String)

        // Trees to be published.
        /// The tree lists two files of one name in a directory, or `.` or `..`, or `.snapshots` at its root.
        case badEntry(FileName)
        /// What is published as the root is no directory.
        case rootIsNoDirectory
        /// Blocks cannot have that size.
        case badBlockSize(Int)
    }

    /// What is wrong.
    public var code: Code
    /// The name of the block, if it is about one.
    public var block: ChordID?

    /// An error, at a block.
    public init(_ code: Code, block: ChordID? = nil) {
        self.code = code
        self.block = block
    }

    /// One sentence.
    public var description: String { block.map { "\(what) (block \($0))" } ?? what }

    private var what: String {
        switch code {
        case .missing: "nobody has the block"
        case .wrongContent: "the content is not what the name says"
        case .tooLarge(let bytes): "a block of \(bytes) bytes, where \(CFSFileLimits.blockBytes) is the most"
        case .malformed(let error): "no block of a file system: \(error)"
        case .wrongKind(let kind, let expected): "a block of the kind \(kind), where \(expected) was expected"
        case .wrongLength(let bytes, let expected): "\(bytes) bytes in a block that has \(expected) of its file"
        case .unnamedBlock(let index): "nothing names block \(index) of the file"
        case .fileTooLarge(let bytes): "a file of \(bytes) bytes"
        case .tooDeep(let max): "directories nested more than \(max) deep"
        case .tooManyBlocks(let max): "more than \(max) blocks"
        case .badSignature: "the signature is not that of the key"
        case .wrongKey: "the key is not the one of the name"
        case .olderVersion(let version, let seen): "version \(version), where \(seen) was seen"
        case .expired(let end): "the publisher does not vouch for it since \(FileTime(seconds: UInt32(clamping: end)))"
        case .early(let start): "the publisher does not vouch for it before \(FileTime(seconds: start))"
        case .noLaterVersion: "there is no later version"
        case .noEntry(let name): "no file \(name)"
        case .badPath: "a path that no file can have"
        case .notDirectory: "not a directory"
        case .notListable: "a directory that may not be listed"
        case .notFile: "not a file with bytes"
        case .notLink: "not a symbolic link"
        case .tooManyLinks(let max): "more than \(max) symbolic links"
        case .noSnapshot(let date): "no snapshot of \(date)"
        case .badEntry(let name): "a directory with \(name) twice, or where it may not be"
        case .rootIsNoDirectory: "the root is not a directory"
        case .badBlockSize(let size): "blocks of \(size) bytes"
        }
    }
}
