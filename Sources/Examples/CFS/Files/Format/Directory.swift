public import CFSModel
public import ONCRPC

/// The entries of a directory (CFS 2004, `sfsro_directory`), in one block whatever their size.
public struct Directory: XDRCodable, Hashable {
    /// A name, and the file that has it.
    public struct Entry: XDRCodable, Hashable {
        /// The block with the file's inode; nil for `.` and `..`, which a block cannot name: its name is their hash.
        public var inode: ChordID?
        /// The number of the file.
        public var fileID: UInt64
        /// The name.
        public var name: FileName

        /// An entry.
        public init(_ name: FileName, inode: ChordID?, fileID: UInt64) {
            self.name = name
            self.inode = inode
            self.fileID = fileID
        }

        /// Reads an entry without the next one.
        public init(from reader: inout XDRReader) throws(XDRError) {
            inode = try reader.read(BlockName.self).id
            fileID = try reader.read()
            name = try reader.read()
        }

        /// Writes an entry without the next one.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(BlockName(inode))
            try writer.write(fileID)
            try writer.write(name)
        }
    }

    /// The entries, as they are in the block: the publisher sorts them by name, snapshots of the historic one come in the
    /// order of their making.
    public var entries: [Entry]

    /// A directory with these entries.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// Reads a list and a flag, which says that there is no further block.
    ///
    /// - Throws: `XDRError`; also if two entries have the same name, an entry other than `.` and `..` has no inode, or there
    ///   were further blocks, which no publisher ever wrote.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        entries = try reader.readList(max: CFSFileLimits.entries)
        guard try reader.read(Bool.self) else { throw XDRError(.invalid("a directory without its end"), at: offset) }
        try check(at: offset)
    }

    /// Writes the list and the flag.
    ///
    /// - Throws: `XDRError` if nobody could read it.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        guard entries.count <= CFSFileLimits.entries else {
            throw XDRError(.tooLong(count: entries.count, max: CFSFileLimits.entries), at: writer.offset)
        }
        try check(at: writer.offset)
        try writer.writeList(entries)
        try writer.write(true)
    }

    /// The entry with this name.
    public subscript(_ name: FileName) -> Entry? { entries.first { $0.name == name } }

    private func check(at offset: Int) throws(XDRError) {
        var names: Set<FileName> = []
        names.reserveCapacity(entries.count)
        for entry in entries {
            guard names.insert(entry.name).inserted else {
                throw XDRError(.invalid("two entries of one name"), at: offset)
            }
            guard entry.inode != nil || entry.name.isSpecial else {
                throw XDRError(.invalid("an entry without an inode"), at: offset)
            }
        }
    }
}
