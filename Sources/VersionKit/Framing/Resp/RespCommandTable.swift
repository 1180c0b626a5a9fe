/// The commands of a server, found by their names as they stand in a request: without making a string, in whatever case.
public final class RespCommandTable: Sendable {
    /// The commands, in the order of the table; ``RespRequest/commandNumber`` is a place in this list.
    public let commands: [RespCommand]

    /// Where the name of a command lies in ``letters``.
    private struct Name {
        var range: Range<Int>
        /// Whether it is a command's and a subcommand's.
        var isSubcommand: Bool
        /// Whether the second word of a request belongs to the name.
        var hasSubcommands: Bool
    }

    /// All names, one behind the other, so that comparing one follows no further pointer.
    private let letters: [UInt8]
    private let names: [Name]
    /// A hash table with open addressing: the place of a command, or -1. Its size is a power of two.
    private let slots: [Int16]

    /// A table of these lines, each as ``RespCommand/init(_:roles:)`` takes it.
    ///
    /// - Parameter roles: what is told apart beyond what a server says: in each line a role, and the commands that have
    ///   it. A role can have several lines, a command several roles.
    /// - Precondition: each line is of that form, and there are at most 1024. A table is a part of the program, and a
    ///   mistake in it a programmer's.
    public init(_ lines: String, roles: String = "") {
        var named: [Substring: Set<String>] = [:]
        for line in roles.split(separator: "\n") {
            let words = line.split(separator: " ")
            for name in words.dropFirst() { named[name, default: []].insert(String(words[0])) }
        }
        commands = lines.split(separator: "\n").map { line in
            guard let command = RespCommand(line, roles: named[line.prefix { $0 != " " }] ?? []) else {
                preconditionFailure("not a command: \(line)")
            }
            return command
        }
        precondition(commands.count <= 1024, "\(commands.count) commands")
        letters = commands.flatMap(\.name.utf8)
        let containers = Set(commands.compactMap { $0.name.split(separator: "|").dropLast().first })
        var names: [Name] = []
        var slots = [Int16](repeating: -1, count: 2048)
        for command in commands {
            let start = names.last?.range.upperBound ?? 0
            var place = Self.slot(command.name.utf8.reduce(Self.seed, Self.mix))
            while slots[place] >= 0 { place = Self.slot(place + 1) }
            slots[place] = Int16(names.count)
            let name = Name(
                range: start..<start + command.name.utf8.count, isSubcommand: command.name.contains("|"),
                hasSubcommands: containers.contains(command.name[...]))
            names.append(name)
        }
        self.names = names
        self.slots = slots
    }

    /// The place of a request's command. A command of which there is only one form may be asked for by its first word
    /// alone.
    func find(_ request: RespScanner.Request, in bytes: UnsafeRawBufferPointer) -> Int? {
        let first = UnsafeRawBufferPointer(rebasing: bytes[request.first])
        let second = UnsafeRawBufferPointer(rebasing: bytes[request.second])
        let hash = Self.hash(first, Self.seed)
        guard let place = find(hash, first, nil), !names[place].isSubcommand else { return nil }
        guard names[place].hasSubcommands, request.count > 1 else { return place }
        return find(Self.hash(second, Self.mix(hash, UInt8(ascii: "|"))), first, second)
    }

    private func find(_ hash: Int, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer?) -> Int? {
        var slot = Self.slot(hash)
        while slots[slot] >= 0 {
            let place = Int(slots[slot])
            if isName(names[place].range, first, second) { return place }
            slot = Self.slot(slot + 1)
        }
        return nil
    }

    private func isName(
        _ range: Range<Int>, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer?
    ) -> Bool {
        guard range.count == first.count + (second.map { $0.count + 1 } ?? 0) else { return false }
        for index in 0..<first.count where letters[range.lowerBound + index] != first[index].lowered { return false }
        guard let second else { return true }
        let bar = range.lowerBound + first.count
        guard letters[bar] == UInt8(ascii: "|") else { return false }
        for index in 0..<second.count where letters[bar + 1 + index] != second[index].lowered { return false }
        return true
    }

    private static let seed = 0x1bf2_9ce4_8422_2325

    /// FNV-1a.
    private static func mix(_ hash: Int, _ byte: UInt8) -> Int { (hash ^ Int(byte)) &* 0x100_0000_01b3 }

    private static func hash(_ bytes: UnsafeRawBufferPointer, _ seed: Int) -> Int {
        // No name is as long as this; what is longer is not found anyway.
        bytes.prefix(64).reduce(seed) { mix($0, $1.lowered) }
    }

    private static func slot(_ hash: Int) -> Int { hash & 2047 }
}
