import CLinux
import VersionKitProcesses

/// An object, and the tables that its programs are to work with.
struct ProgramLoader {
    let object: ProgramObject
    private(set) var tables: [String: KernelDescriptor]

    init(_ object: ProgramObject, tables: [String: KernelDescriptor]) {
        self.object = object
        self.tables = tables
    }

    /// The same programs, one of whose tables is another one.
    func replacing(_ name: String, with table: KernelDescriptor) -> ProgramLoader {
        var other = self
        other.tables[name] = table
        return other
    }

    /// The programs that were built with this library, from the text that they are checked in as.
    static func object(_ text: String) throws(KernelPathError) -> ProgramObject {
        guard let bytes = Base64.bytes(of: text) else {
            throw KernelPathError("the kernel's programs are garbled", isUnsupported: true)
        }
        do { return try ProgramObject(elf: bytes) } catch {
            throw KernelPathError("the kernel's programs are garbled: \(error)", isUnsupported: true)
        }
    }

    /// Makes tables, empty.
    static func make(
        _ tables: [ProgramObject.Table], _ sizes: KernelTableSizes
    ) throws(KernelPathError) -> [String: KernelDescriptor] {
        var descriptors: [String: KernelDescriptor] = [:]
        for table in tables {
            var map = vk_bpf_map(
                type: table.type, key_bytes: table.keyBytes, value_bytes: table.valueBytes,
                entries: sizes.entries(of: table.name) ?? table.entries, flags: table.flags)
            do {
                descriptors[table.name] = try KernelDescriptor(
                    vk_bpf_new_map(table.name, &map), "table \(table.name)")
            } catch {
                throw KernelPathError("\(error)", isUnsupported: true)
            }
        }
        return descriptors
    }

    /// One of the tables, with these types' layout.
    func table<Key, Value>(
        _ name: String, key: Key, value: Value, valuesPerEntry: Int = 1
    ) throws(KernelPathError) -> KernelTable<Key, Value> {
        guard let table = object.tables.first(where: { $0.name == name }), let descriptor = tables[name] else {
            throw KernelPathError("the kernel's programs have no table \(name)", isUnsupported: true)
        }
        return try KernelTable(descriptor, table, key: key, value: value, valuesPerEntry: valuesPerEntry)
    }

    /// A table whose entries have a value for each processor.
    func tablePerProcessor<Key, Value>(
        _ name: String, key: Key, value: Value
    ) throws(KernelPathError) -> KernelTable<Key, Value> {
        guard let processors = PossibleProcessors.here?.count else {
            throw KernelPathError("the kernel does not say how many processors there may be", isUnsupported: true)
        }
        return try table(name, key: key, value: value, valuesPerEntry: processors)
    }

    /// Loads one of the programs.
    func program(_ name: String, for hook: vk_bpf_hook = vk_bpf_packets) throws(KernelPathError) -> KernelDescriptor {
        guard let program = object.programs.first(where: { $0.name == name }) else {
            throw KernelPathError("the kernel's programs have no \(name)", isUnsupported: true)
        }
        // Each table was looked up before.
        let code = program.code(tables: object.tables.map { tables[$0.name]?.number ?? -1 })
        return try loadProgram(name, for: hook, code)
    }
}
