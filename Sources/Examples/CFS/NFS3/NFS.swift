public import ONCRPC

/// The program of NFS version 3 (RFC 1813): program 100003, version 3, with all of its procedures.
///
/// Those that change something have results only for servers that refuse them.
public enum NFS {
    /// The program.
    public static let program = RPCProgram(100_003, version: 3, name: "nfs")

    /// A file's attributes.
    public static let getAttributes = RPCProcedure<NFSHandle, NFSResult<NFSAttributes, XDRVoid>>(
        program, 1, "GETATTR", isRepeatable: true)
    /// Changes a file's attributes.
    public static let setAttributes = RPCProcedure<SetAttributes, NFSRefusal<NFSChange>>(program, 2, "SETATTR")
    /// Finds a file by its name in a directory.
    public static let lookUp = RPCProcedure<DirectoryEntry, NFSResult<Found, NFSAfter>>(
        program, 3, "LOOKUP", isRepeatable: true)
    /// What a caller may do with a file.
    public static let access = RPCProcedure<AccessQuestion, NFSResult<AccessAnswer, NFSAfter>>(
        program, 4, "ACCESS", isRepeatable: true)
    /// What a symbolic link points to.
    public static let readLink = RPCProcedure<NFSHandle, NFSResult<LinkTarget, NFSAfter>>(
        program, 5, "READLINK", isRepeatable: true)
    /// Bytes of a file.
    public static let read = RPCProcedure<ReadQuestion, NFSResult<ReadAnswer, NFSAfter>>(
        program, 6, "READ", isRepeatable: true)
    /// Changes bytes of a file.
    public static let write = RPCProcedure<Write, NFSRefusal<NFSChange>>(program, 7, "WRITE")
    /// Makes a file.
    public static let create = RPCProcedure<Create, NFSRefusal<NFSChange>>(program, 8, "CREATE")
    /// Makes a directory.
    public static let makeDirectory = RPCProcedure<MakeDirectory, NFSRefusal<NFSChange>>(program, 9, "MKDIR")
    /// Makes a symbolic link.
    public static let makeLink = RPCProcedure<MakeLink, NFSRefusal<NFSChange>>(program, 10, "SYMLINK")
    /// Makes something special.
    public static let makeNode = RPCProcedure<MakeNode, NFSRefusal<NFSChange>>(program, 11, "MKNOD")
    /// Removes a file.
    public static let remove = RPCProcedure<DirectoryEntry, NFSRefusal<NFSChange>>(program, 12, "REMOVE")
    /// Removes a directory.
    public static let removeDirectory = RPCProcedure<DirectoryEntry, NFSRefusal<NFSChange>>(program, 13, "RMDIR")
    /// Gives a file another name.
    public static let rename = RPCProcedure<Rename, NFSRefusal<Pair<NFSChange, NFSChange>>>(program, 14, "RENAME")
    /// Gives a file one name more.
    public static let link = RPCProcedure<Link, NFSRefusal<Pair<NFSAfter, NFSChange>>>(program, 15, "LINK")
    /// The names in a directory.
    public static let readDirectory = RPCProcedure<
        DirectoryQuestion, NFSResult<DirectoryAnswer<DirectoryName>, NFSAfter>
    >(program, 16, "READDIR", isRepeatable: true)
    /// The names in a directory, with the attributes and handles of the files.
    public static let readDirectoryPlus = RPCProcedure<
        DirectoryPlusQuestion, NFSResult<DirectoryAnswer<DirectoryNamePlus>, NFSAfter>
    >(program, 17, "READDIRPLUS", isRepeatable: true)
    /// How much room a file system has.
    public static let room = RPCProcedure<NFSHandle, NFSResult<Room, NFSAfter>>(
        program, 18, "FSSTAT", isRepeatable: true)
    /// What a file system and its server can do.
    public static let abilities = RPCProcedure<NFSHandle, NFSResult<Abilities, NFSAfter>>(
        program, 19, "FSINFO", isRepeatable: true)
    /// What `pathconf` of POSIX says.
    public static let pathLimits = RPCProcedure<NFSHandle, NFSResult<PathLimits, NFSAfter>>(
        program, 20, "PATHCONF", isRepeatable: true)
    /// Brings what was written to the disk.
    public static let commit = RPCProcedure<Commit, NFSRefusal<NFSChange>>(program, 21, "COMMIT")

    /// A name in a directory (RFC 1813, `diropargs3`).
    public struct DirectoryEntry: XDRCodable, Hashable {
        /// The directory.
        public var directory: NFSHandle
        /// The name.
        public var name: NFSName

        /// A name in a directory.
        public init(_ directory: NFSHandle, _ name: NFSName) {
            self.directory = directory
            self.name = name
        }

        /// Reads both.
        public init(from reader: inout XDRReader) throws(XDRError) {
            directory = try reader.read()
            name = try reader.read()
        }

        /// Writes both.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(directory)
            try writer.write(name)
        }
    }

    /// Two values, one behind the other.
    public struct Pair<First: XDRCodable & Hashable, Second: XDRCodable & Hashable>: XDRCodable, Hashable {
        /// The first.
        public var first: First
        /// The second.
        public var second: Second

        /// Two values.
        public init(_ first: First, _ second: Second) {
            self.first = first
            self.second = second
        }

        /// Reads both.
        public init(from reader: inout XDRReader) throws(XDRError) {
            first = try reader.read()
            second = try reader.read()
        }

        /// Writes both.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(first)
            try writer.write(second)
        }
    }
}
