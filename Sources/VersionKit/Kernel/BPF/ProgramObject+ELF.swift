extension ProgramObject {
    /// Sections of programs begin with this; what follows is for readers.
    private static let programs = "program/"
    /// The section that holds the definitions of tables, five numbers each.
    private static let tables = "tables"
    private static let tableBytes = 20
    private static let instructionBytes = 8

    /// Reads an object. Nothing in it is trusted.
    init(elf bytes: [UInt8]) throws(ProgramObjectError) {
        let elf = try ELF(bytes)
        guard let symbolTable = elf.sections.first(where: { $0.kind == ELF.symbolTable }) else {
            throw .badReference
        }
        let symbols = try elf.symbols(in: symbolTable)
        (tables, programs) = ([], [])
        if let section = elf.sections.firstIndex(where: { $0.name == Self.tables }) {
            tables = try Self.tables(in: section, of: elf, symbols)
        }
        for (index, section) in elf.sections.enumerated() where section.name.hasPrefix(Self.programs) {
            programs.append(try program(in: index, of: elf, symbols))
        }
        programs.sort { $0.name < $1.name }
    }

    private static func tables(
        in section: Int, of elf: ELF, _ symbols: [ELF.Symbol]
    ) throws(ProgramObjectError) -> [Table] {
        let range = elf.sections[section].range
        let defined = symbols.filter { $0.section == section && !$0.name.isEmpty }.sorted { $0.value < $1.value }
        guard range.count == defined.count * tableBytes else { throw .badTable }
        var tables: [Table] = []
        for (index, symbol) in defined.enumerated() {
            guard symbol.value == index * tableBytes, symbol.size == tableBytes else { throw .badTable }
            let start = range.lowerBound + symbol.value
            tables.append(
                Table(
                    name: symbol.name, type: try elf.number(at: start, UInt32.self),
                    keyBytes: try elf.number(at: start + 4, UInt32.self),
                    valueBytes: try elf.number(at: start + 8, UInt32.self),
                    entries: try elf.number(at: start + 12, UInt32.self),
                    flags: try elf.number(at: start + 16, UInt32.self)))
        }
        return tables
    }

    private func program(
        in section: Int, of elf: ELF, _ symbols: [ELF.Symbol]
    ) throws(ProgramObjectError) -> Program {
        let range = elf.sections[section].range
        guard !range.isEmpty, range.count % Self.instructionBytes == 0 else { throw .badProgram }
        guard let symbol = symbols.first(where: { $0.section == section && !$0.name.isEmpty && $0.value == 0 }) else {
            throw .badProgram
        }
        var program = Program(name: symbol.name, instructions: Array(elf.bytes[range]), references: [])
        for part in elf.sections where part.kind == ELF.relocations && part.target == section {
            for relocation in try elf.relocations(in: part) {
                program.references.append(try reference(relocation, in: program, symbols))
            }
        }
        return program
    }

    /// The only thing left to link is which table an instruction means.
    private func reference(
        _ relocation: ELF.Relocation, in program: Program, _ symbols: [ELF.Symbol]
    ) throws(ProgramObjectError) -> Reference {
        let offset = relocation.offset
        guard relocation.type == ELF.wideRelocation else {
            throw .unknownRelocation(type: relocation.type, offset: offset)
        }
        guard offset >= 0, offset <= program.instructions.count - 2 * Self.instructionBytes,
            offset % Self.instructionBytes == 0, program.instructions[offset] == ELF.loadWide,
            symbols.indices.contains(relocation.symbol),
            let table = tables.firstIndex(where: { $0.name == symbols[relocation.symbol].name })
        else { throw .badReference }
        return Reference(offset: offset, table: table)
    }
}
