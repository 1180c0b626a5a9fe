import VersionKit

/// The commands of a Redis, found by their names as they stand in a request.
struct CommandTable: Sendable {
    /// What is not said by the server's own table: what is done with a command, beyond what its flags say. Everything
    /// that neither reads nor writes and is not named here is refused. README.md says why.
    static let roles = """
        read ping echo time info role lastsave command command|count command|docs command|getkeys command|list
        read command|getkeysandflags command|info client|id client|getname client|info client|list client|trackinginfo
        read config|get memory|stats memory|doctor memory|malloc-stats slowlog|get slowlog|len latency|latest
        read latency|history latency|histogram latency|doctor latency|graph script|exists function|list function|dump
        read function|stats acl|whoami acl|cat acl|list acl|users acl|getuser acl|genpass acl|dryrun acl|log module|list
        write pfcount
        lead spop incrbyfloat hincrbyfloat xclaim xautoclaim xreadgroup geosearchstore
        stores sort georadius georadiusbymember
        moves move copy
        appends xadd
        evaluates eval evalsha fcall
        everything flushall flushdb swapdb
        functions function|load function|delete function|flush function|restore
        scripts script|load script|flush
        session select auth hello client|setname reset unwatch
        watch watch
        multi multi
        exec exec
        discard discard
        quit quit
        cursor scan hscan sscan zscan
        operators migrate restore-asking pfdebug acl|load acl|save
        options set getex
        second setex psetex expire pexpire
        restore restore
        idempotent set setex psetex mset del unlink hset hmset hdel sadd srem zrem expire pexpire expireat pexpireat
        idempotent persist lset ltrim setbit setrange hsetnx pfadd sinterstore sunionstore sdiffstore zinterstore
        idempotent zunionstore zdiffstore xack xdel flushall flushdb script|load script|flush
        """

    static let standard = CommandTable(redis7, roles)

    private var commands: [UInt64: RedisCommand] = [:]
    /// Commands whose second word belongs to the name.
    private var containers: Set<UInt64> = []
    /// What the quick look says of those that have one word.
    private(set) var glances: [ShortName: GlanceKind] = [:]

    init(_ lines: String, _ roles: String) {
        var named: [Substring: Set<String>] = [:]
        for line in roles.split(separator: "\n") {
            let words = line.split(separator: " ")
            for name in words.dropFirst() { named[name, default: []].insert(String(words[0])) }
        }
        var several: Set<Substring> = []
        for line in lines.split(separator: "\n") {
            let command = RedisCommand(line.split(separator: " "), named)
            let hash = command.name.utf8.reduce(Self.seed, Self.mix)
            precondition(commands[hash] == nil, "two commands share a hash: \(command.name)")
            commands[hash] = command
            if !command.name.contains("|"), let name = ShortName(command.name.utf8) {
                glances[name] = GlanceKind(command)
            }
            // What it is, its second word decides.
            if let words = command.name.firstIndex(of: "|") { several.insert(command.name[..<words]) }
            if let bar = command.name.firstIndex(of: "|") {
                containers.insert(command.name[..<bar].utf8.reduce(Self.seed, Self.mix))
            }
        }
        for name in several { ShortName(name.utf8).map { glances[$0] = nil } }
    }

    /// The command that arguments begin with. A command of which there is only one form may be asked for by its first
    /// word alone.
    func find(_ parts: [RespScanner.Part], in bytes: UnsafeRawBufferPointer) -> RedisCommand? {
        guard let name = parts.first, name.length < 64 else { return nil }
        let hash = Self.hash(name, in: bytes, Self.seed)
        guard parts.count > 1, containers.contains(hash) else { return checked(hash, name, nil, in: bytes) }
        guard parts[1].length < 64 else { return nil }
        let whole = Self.hash(parts[1], in: bytes, Self.mix(hash, UInt8(ascii: "|")))
        return checked(whole, name, parts[1], in: bytes)
    }

    /// The command of a request that was not read from a stream.
    func find(for request: RedisRequest) -> RedisCommand? {
        request.bytes.withUnsafeReadableBytes { find(request.parts, in: $0) }
    }

    /// Not another command whose name happens to have the same hash.
    private func checked(
        _ hash: UInt64, _ name: RespScanner.Part, _ second: RespScanner.Part?, in bytes: UnsafeRawBufferPointer
    ) -> RedisCommand? {
        guard let command = commands[hash] else { return nil }
        var expected = command.name.utf8.makeIterator()
        for index in name.range where expected.next() != bytes[index].lowered { return nil }
        if let second {
            guard expected.next() == UInt8(ascii: "|") else { return nil }
            for index in second.range where expected.next() != bytes[index].lowered { return nil }
        }
        return expected.next() == nil ? command : nil
    }

    private static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

    /// FNV-1a.
    private static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    private static func hash(_ part: RespScanner.Part, in bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
        var hash = seed
        for index in part.range { hash = mix(hash, bytes[index].lowered) }
        return hash
    }
}

extension RespScanner.Part {
    var range: Range<Int> { Int(start)..<Int(start) + Int(length) }
}
