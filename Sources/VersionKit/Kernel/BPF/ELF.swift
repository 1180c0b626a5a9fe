/// What an ELF object of 64 bits consists of, as far as a program for the kernel needs it. Every access is checked
/// against the bytes that there are.
struct ELF {
    /// A part of the file.
    struct Section {
        /// Its name.
        var name: String
        /// What it holds.
        var kind: UInt32
        /// Where it is, in bytes.
        var range: Range<Int>
        /// Another section that it needs: of symbols their names, of relocations the symbols.
        var link: Int
        /// For relocations: the section they are for.
        var target: Int
    }

    /// A name for a place in a section.
    struct Symbol {
        /// The name; may be empty.
        var name: String
        /// The section; may be one of the special numbers.
        var section: Int
        /// The offset there.
        var value: Int
        /// How many bytes it is the name of.
        var size: Int
    }

    /// A place where an address is to be filled in.
    struct Relocation {
        /// The offset in the section that it is for.
        var offset: Int
        /// What is to be done there.
        var type: UInt32
        /// The index of the symbol whose address it is.
        var symbol: Int
    }

    static let symbolTable: UInt32 = 2
    static let relocations: UInt32 = 9
    /// `R_BPF_64_64`: 64 bits in an instruction of twice the usual length.
    static let wideRelocation: UInt32 = 1
    /// The first byte of such an instruction.
    static let loadWide: UInt8 = 0x18
    /// What is loaded is a table with this descriptor (`BPF_PSEUDO_MAP_FD`).
    static let tableDescriptor: UInt8 = 1

    /// The kernel's own machine, `EM_BPF`.
    private static let machine: UInt16 = 247
    private static let headerBytes = 64
    private static let sectionBytes = 64
    private static let symbolBytes = 24
    private static let relocationBytes = 16
    private static let sectionsMax = 64
    /// Far more than our programs have.
    private static let entriesMax = 4096

    /// The object.
    let bytes: [UInt8]
    /// Its sections.
    private(set) var sections: [Section] = []

    /// Reads the header and the table of sections.
    init(_ bytes: [UInt8]) throws(ProgramObjectError) {
        self.bytes = bytes
        guard bytes.count >= Self.headerBytes else { throw .truncated }
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), try number(at: 18, UInt16.self) == Self.machine,
            try number(at: 58, UInt16.self) == Self.sectionBytes
        else { throw .notAnObject }
        let start = try offset(at: 40)
        let count = Int(try number(at: 60, UInt16.self))
        let names = Int(try number(at: 62, UInt16.self))
        guard count <= Self.sectionsMax else { throw .tooLarge }
        guard names < count else { throw .badReference }
        let namesAt = try range(of: try part(start, names, Self.sectionBytes))
        for index in 0..<count {
            let at = try part(start, index, Self.sectionBytes)
            sections.append(
                Section(
                    name: try name(Int(try number(at: at, UInt32.self)), in: namesAt),
                    kind: try number(at: at + 4, UInt32.self), range: try range(of: at),
                    link: Int(try number(at: at + 40, UInt32.self)), target: Int(try number(at: at + 44, UInt32.self))))
        }
    }

    /// The symbols of a section that holds such.
    func symbols(in section: Section) throws(ProgramObjectError) -> [Symbol] {
        guard sections.indices.contains(section.link) else { throw .badReference }
        let names = sections[section.link].range
        var symbols: [Symbol] = []
        for at in try entries(of: section, bytes: Self.symbolBytes) {
            symbols.append(
                Symbol(
                    name: try name(Int(try number(at: at, UInt32.self)), in: names),
                    section: Int(try number(at: at + 6, UInt16.self)), value: try offset(at: at + 8),
                    size: try offset(at: at + 16)))
        }
        return symbols
    }

    /// The relocations of a section that holds such.
    func relocations(in section: Section) throws(ProgramObjectError) -> [Relocation] {
        var relocations: [Relocation] = []
        for at in try entries(of: section, bytes: Self.relocationBytes) {
            let type = try number(at: at + 8, UInt32.self)
            let symbol = Int(try number(at: at + 12, UInt32.self))
            relocations.append(Relocation(offset: try offset(at: at), type: type, symbol: symbol))
        }
        return relocations
    }

    /// A number at an offset, lowest byte first.
    func number<Number: FixedWidthInteger & UnsignedInteger>(
        at offset: Int, _ type: Number.Type
    ) throws(ProgramObjectError) -> Number {
        let size = Number.bitWidth / 8
        guard offset >= 0, offset <= bytes.count - size else { throw .truncated }
        var number: Number = 0
        for index in (0..<size).reversed() { number = number << 8 | Number(bytes[offset + index]) }
        return number
    }

    private func offset(at position: Int) throws(ProgramObjectError) -> Int {
        // Whatever is larger than the file is as wrong as this.
        Int(exactly: try number(at: position, UInt64.self)) ?? Int.max
    }

    /// Where the entry of an index is, of a table that starts somewhere.
    private func part(_ start: Int, _ index: Int, _ size: Int) throws(ProgramObjectError) -> Int {
        guard start >= 0, start <= bytes.count, (index + 1) * size <= bytes.count - start else { throw .truncated }
        return start + index * size
    }

    /// The bytes of the section whose entry in the table is at a position.
    private func range(of entry: Int) throws(ProgramObjectError) -> Range<Int> {
        // A section without bytes in the file (SHT_NULL, SHT_NOBITS) has an offset and a size that mean nothing.
        if [0, 8].contains(try number(at: entry + 4, UInt32.self)) { return 0..<0 }
        let start = try offset(at: entry + 24)
        let size = try offset(at: entry + 32)
        guard start <= bytes.count, size <= bytes.count - start else { throw .truncated }
        return start..<start + size
    }

    private func entries(of section: Section, bytes size: Int) throws(ProgramObjectError) -> [Int] {
        guard section.range.count % size == 0 else { throw .truncated }
        guard section.range.count / size <= Self.entriesMax else { throw .tooLarge }
        return Array(stride(from: section.range.lowerBound, to: section.range.upperBound, by: size))
    }

    private func name(_ offset: Int, in names: Range<Int>) throws(ProgramObjectError) -> String {
        guard offset < names.count else { throw .badName }
        let rest = bytes[(names.lowerBound + offset)..<names.upperBound]
        guard let end = rest.firstIndex(of: 0), let name = String(validating: rest[..<end], as: UTF8.self) else {
            throw .badName
        }
        return name
    }
}
