/// Programs for the kernel, and the tables they use, as a compiler made them. A pure value.
///
/// The programs name their tables; once there are tables, ``Program/code(tables:)`` puts in which ones they are.
struct ProgramObject: Sendable, Hashable {
    /// A table that is to be made.
    struct Table: Sendable, Hashable {
        /// Its name in the source.
        var name: String
        /// Of the kernel's kinds of tables (`bpf_map_type`).
        var type: UInt32
        /// The size of a key.
        var keyBytes: UInt32
        /// The size of a value; tables per processor have many of them.
        var valueBytes: UInt32
        /// The most entries.
        var entries: UInt32
        /// The kernel's flags (`BPF_F_...`).
        var flags: UInt32
    }

    /// That an instruction means a table.
    struct Reference: Sendable, Hashable {
        /// The offset of the instruction in its program, in bytes.
        var offset: Int
        /// The index of the table.
        var table: Int
    }

    /// A program that is to be loaded.
    struct Program: Sendable, Hashable {
        /// Its name in the source.
        var name: String
        /// Instructions of 8 bytes each.
        var instructions: [UInt8]
        /// Where it means tables.
        var references: [Reference]

        /// The instructions with the descriptors of the object's tables put in.
        func code(tables: [Int32]) -> [UInt8] {
            var code = instructions
            for reference in references {
                let offset = reference.offset
                code[offset + 1] = code[offset + 1] & 0x0F | ELF.tableDescriptor << 4
                withUnsafeBytes(of: tables[reference.table].littleEndian) { bytes in
                    for (index, byte) in bytes.enumerated() { code[offset + 4 + index] = byte }
                }
            }
            return code
        }
    }

    /// The tables, in the order of their definition.
    var tables: [Table]
    /// The programs, by name.
    var programs: [Program]
}

/// Why bytes are no object with programs for the kernel.
enum ProgramObjectError: Error, Sendable, Hashable {
    /// It ends before what should be there.
    case truncated
    /// It is no ELF object of 64 bits, lowest byte first, for the kernel's machine.
    case notAnObject
    /// It has more sections, symbols or references than any that we make.
    case tooLarge
    /// A name has no end, or is no UTF-8.
    case badName
    /// Something refers to what does not exist.
    case badReference
    /// A table's definition is not what it should be.
    case badTable
    /// A program's code has no whole instructions.
    case badProgram
    /// The compiler left something to link that is no table, `R_BPF` number and offset.
    case unknownRelocation(type: UInt32, offset: Int)
}
