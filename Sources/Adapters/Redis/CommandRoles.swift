import VersionKit

/// What is done with a command.
enum CommandPolicy: String, Sendable {
    case read, write, lead, everything, functions, scripts, session, multi, exec, discard, watch, quit, cursor
    /// Writes if a destination is named.
    case stores
    /// Writes to the database that an argument names, too.
    case moves
    /// Writes to a stream, with an identity of the server's choice if that is `*`, or trims it about as far as is said.
    case appends
    /// Runs a script on the keys that it declares.
    case evaluates
    /// A message to or from other clients.
    case channels
    /// Something that an operator does to one server.
    case operators
}

/// What the server's own table does not say: what is done with a command, beyond what its flags say.
struct CommandRoles: Sendable {
    let policy: CommandPolicy
    let isIdempotent: Bool
    let expiry: CommandExpiry?

    init(_ command: RespCommand) {
        // A policy that only one command has is named after it.
        let role = CommandPolicy(rawValue: command.name) ?? command.roles.lazy.compactMap(CommandPolicy.init).first
        let isRead = command.flags.contains(.reads) || command.name.hasSuffix("|help")
        let usual: CommandPolicy = command.flags.contains(.writes) ? .write : isRead ? .read : .operators
        policy = role ?? (command.flags.contains(.publishes) ? .channels : usual)
        isIdempotent = command.roles.contains("idempotent") || policy == .read
        expiry = CommandExpiry(rawValue: command.name)
    }

    /// The roles of all commands, in the order of the server's table.
    static let all = RespCommandTable.redis.commands.map { CommandRoles($0) }

    /// A role and the commands that have it. Everything that neither reads nor writes and is not named here is refused.
    /// README.md says why.
    static let lines = """
        read ping echo time info role lastsave command command|count command|docs command|getkeys command|list
        read command|getkeysandflags command|info client|id client|getname client|info client|list client|trackinginfo
        read config|get memory|stats memory|doctor memory|malloc-stats slowlog|get slowlog|len latency|latest
        read latency|history latency|histogram latency|doctor latency|graph script|exists function|list function|dump
        read function|stats acl|whoami acl|cat acl|list acl|users acl|getuser acl|genpass acl|dryrun acl|log module|list
        write pfcount
        lead spop incrbyfloat hincrbyfloat xclaim xautoclaim xreadgroup geosearchstore
        stores sort georadius georadiusbymember
        moves move copy
        appends xadd xtrim
        evaluates eval evalsha fcall
        everything flushall flushdb swapdb
        functions function|load function|delete function|flush function|restore
        scripts script|load script|flush
        session select auth hello client|setname reset unwatch
        cursor scan hscan sscan zscan
        operators migrate restore-asking pfdebug acl|load acl|save
        idempotent set setex psetex mset del unlink hset hmset hdel sadd srem zrem expire pexpire expireat pexpireat
        idempotent persist lset ltrim setbit setrange hsetnx pfadd sinterstore sunionstore sdiffstore zinterstore
        idempotent zunionstore zdiffstore xack xdel flushall flushdb script|load script|flush
        """
}

extension RespRequest {
    /// What is known of its command; `nil` if there is none of its name, and for the library's own requests.
    var command: RespCommand? { commandNumber.map { RespCommandTable.redis.commands[$0] } }

    /// What is done with it.
    var policy: CommandPolicy? { commandNumber.map { CommandRoles.all[$0].policy } }
}
