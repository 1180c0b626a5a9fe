import CLinux
import Glibc
import VersionKitProcesses

/// A table that the programs share with this process. Thread-safe, as the kernel is.
///
/// Keys and values are C structures or numbers, whose bytes go as they are.
struct KernelTable<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>: Sendable {
    /// The most entries of one read of many.
    private static var batchMax: Int { 1024 }

    private let descriptor: KernelDescriptor
    private let name: String
    /// More than one in a table per processor.
    private let valuesPerEntry: Int
    private let emptyKey: Key
    private let emptyValue: Value

    /// The table of a descriptor, whose layout must be these types'.
    init(
        _ descriptor: KernelDescriptor, _ table: ProgramObject.Table, key: Key, value: Value, valuesPerEntry: Int = 1
    ) throws(KernelPathError) {
        guard Int(table.keyBytes) == MemoryLayout<Key>.size, Int(table.valueBytes) == MemoryLayout<Value>.size else {
            throw KernelPathError("the table \(table.name) has another layout than it should have")
        }
        self.descriptor = descriptor
        self.name = table.name
        self.valuesPerEntry = valuesPerEntry
        emptyKey = key
        emptyValue = value
    }

    /// The value of a key; the first one in a table per processor.
    subscript(key: Key) -> Value? { values(key).first }

    /// All values of a key in a table per processor; none without an entry.
    func values(_ key: Key) -> [Value] {
        var values = [Value](repeating: emptyValue, count: valuesPerEntry)
        let found = withUnsafePointer(to: key) { vk_bpf_get(descriptor.number, $0, &values) }
        return found == 0 ? values : []
    }

    /// Writes an entry, new or not. Not for tables per processor.
    func set(_ key: Key, _ value: Value) throws(KernelPathError) {
        let result = withUnsafePointer(to: key) { key in
            withUnsafePointer(to: value) { vk_bpf_set(descriptor.number, key, $0) }
        }
        if result < 0 {
            let code = errno
            throw KernelPathError(
                code == E2BIG ? "the table \(name) is full" : "\(SystemError("write to \(name)", code: code))")
        }
    }

    /// Removes an entry. Answers whether there was one.
    @discardableResult
    func remove(_ key: Key) -> Bool {
        withUnsafePointer(to: key) { vk_bpf_remove(descriptor.number, $0) } == 0
    }

    /// Calls `body` with the entries: those that were there all the time once each, others perhaps.
    func forEach(_ body: (Key, ArraySlice<Value>) -> Void) throws(KernelPathError) {
        // A part of the table is read at one time, however many entries it has by chance: then once more with room.
        var room = Self.batchMax
        var position: UInt32 = 0
        var isFirst = true
        while true {
            var keys = [Key](repeating: emptyKey, count: room)
            var values = [Value](repeating: emptyValue, count: room * valuesPerEntry)
            var count = UInt32(room)
            var next: UInt32 = 0
            let result = withUnsafePointer(to: position) { from in
                vk_bpf_get_batch(descriptor.number, isFirst ? nil : from, &next, &keys, &values, &count)
            }
            let code = result < 0 ? errno : 0
            if code == ENOSPC, room < 1 << 20 {
                room *= 2
                continue
            }
            guard code == 0 || code == ENOENT else {
                throw KernelPathError("\(SystemError("read \(name)", code: code))")
            }
            for index in 0..<min(Int(count), room) {
                body(keys[index], values[index * valuesPerEntry..<(index + 1) * valuesPerEntry])
            }
            if code == ENOENT { return }
            (position, isFirst) = (next, false)
        }
    }
}
