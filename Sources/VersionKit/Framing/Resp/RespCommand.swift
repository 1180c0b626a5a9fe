public import NIOCore

/// A command of a server that speaks RESP, as far as the server's own `COMMAND` describes it.
public final class RespCommand: Sendable {
    /// What a command may do.
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt8

        /// Flags by their bits; use the names instead.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// It writes.
        public static let writes = Flags(rawValue: 1)
        /// It reads.
        public static let reads = Flags(rawValue: 2)
        /// It may wait before it replies.
        public static let blocks = Flags(rawValue: 4)
        /// It publishes or subscribes.
        public static let publishes = Flags(rawValue: 8)
    }

    /// Its name in lower case; a subcommand's has its command's before it: `config|get`.
    public let name: String
    /// How many words a request has, the name included; `-n`: `n` or more.
    public let arity: Int
    /// What it may do.
    public let flags: Flags
    /// Where its keys are.
    public let keySpecifications: [RespKeySpecification]
    /// Which word is its only key; `nil`: it has none, or several, or where it is depends on the request.
    public let onlyKey: Int?
    /// What whoever made the table tells apart beyond that.
    public let roles: Set<String>

    /// A command from a line of a table, `hset -4 w 1:0,1,0`: its name, its arity, its flags (`w` writes, `r` reads, `b`
    /// may block, `p` publishes or subscribes, `-` nothing of that), its key specifications; `nil`: not of that form.
    public init?(_ line: Substring, roles: Set<String> = []) {
        let words = line.split(separator: " ")
        let specifications = words.dropFirst(3).compactMap { RespKeySpecification($0) }
        guard words.count > 2, let arity = Int(words[1]), specifications.count == words.count - 3 else { return nil }
        name = String(words[0])
        self.arity = arity
        self.roles = roles
        let letters: [(Character, Flags)] = [("w", .writes), ("r", .reads), ("b", .blocks), ("p", .publishes)]
        flags = Flags(letters.filter { words[2].contains($0.0) }.map(\.1))
        keySpecifications = specifications
        onlyKey = specifications.count == 1 ? specifications[0].onlyKey : nil
    }

    /// Whether a request may have so many words.
    @inlinable public func takes(_ count: Int) -> Bool { arity < 0 ? count >= -arity : count == arity }

    /// The keys that a request names; a key may be there twice.
    public func keys(of request: RespRequest) -> [ByteBuffer] {
        keySpecifications.flatMap { $0.keys(of: request) }
    }
}
