import RedisAdapter
import Testing
import VersionKit
import VersionKitTesting

@Suite("RedisAdapter: what goes where")
struct RedisAdapterTests {
    @Test("a read goes to the newest version alone, in the client's own bytes")
    func read() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask("get a")
        #expect(talk.requests(2) == redisWords("get a"))
        #expect(talk.requests(1).isEmpty)
        talk.answer("$-1\r\n", from: 2)
        #expect(talk.received() == "$-1\r\n")
    }

    @Test("a write goes to both, in the order of its key, and is answered by the newest")
    func write() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask("INCR a")
        #expect(talk.takeOrdered() == [[redisMark("a")]])
        #expect(talk.requests(1) == redisWords("INCR a"))
        #expect(talk.requests(2) == redisWords("INCR a"))
        talk.answer(":7\r\n", from: 1, 2)
        #expect(talk.received() == ":7\r\n")
        #expect(talk.isEven)
    }

    @Test("versions that answer a write differently are made the same by copying its keys")
    func disagreement() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask("INCR a")
        talk.answer(":6\r\n", from: 1)
        talk.answer(":7\r\n", from: 2)
        #expect(talk.received() == ":7\r\n")
        #expect(talk.missed == [1: [MissedWrite(redisKeys("a"), .copy)]])
    }

    @Test("errors agree, however the versions word them")
    func errors() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask("INCR a")
        talk.answer("-ERR not a number\r\n", from: 1)
        talk.answer("-ERR value is not an integer\r\n", from: 2)
        #expect(talk.received() == "-ERR value is not an integer\r\n")
        #expect(talk.isEven)
    }

    /// Commands that name keys in every way there is.
    private static let keyed: [(String, [String])] = [
        ("SET k v", ["k"]), ("DEL a b c", ["a", "b", "c"]), ("MSET a 1 b 2", ["a", "b"]), ("RENAME a b", ["a", "b"]),
        ("BITOP AND d a b", ["d", "a", "b"]), ("LMPOP 2 a b LEFT", ["a", "b"]),
        ("zunionstore d 2 a b WEIGHTS 1 2", ["d", "a", "b"]),
        ("SINTERSTORE d a b", ["d", "a", "b"]), ("LMOVE a b LEFT RIGHT", ["a", "b"]), ("XGROUP CREATE s g $", ["s"]),
        ("PFCOUNT a b", ["a", "b"]), ("PFMERGE d a", ["d", "a"]), ("SMOVE a b m", ["a", "b"]),
        ("COPY a b", ["a", "b"]),
        ("XADD s 1-1 f v", ["s"]), ("GETEX k", ["k"]), ("ZMPOP 1 z MIN", ["z"]), ("XADD s 1-1 f *", ["s"]),
        ("XADD s 1-1 ~ *", ["s"]), ("XADD s nomkstream MAXLEN = 9 1-1 * v", ["s"]), ("XADD s MINID 9 1-* * v", ["s"]),
        ("XTRIM s MAXLEN 9", ["s"]), ("XTRIM s MINID = 9-1", ["s"]),
    ]

    @Test("writes are ordered by all keys that they name", arguments: keyed)
    func keys(_ text: String, _ keys: [String]) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask(text)
        #expect(talk.takeOrdered() == [Set(keys.map { redisMark($0) })])
        #expect(talk.requests(1) == redisWords(text))
        #expect(talk.requests(2) == redisWords(text))
    }

    /// Commands whose effect their bytes do not determine.
    private static let chancy: [(String, [String])] = [
        ("EVAL x 2 a b c", ["a", "b"]), ("FCALL f 1 a", ["a"]), ("XADD s MAXLEN ~ 9 * f v", ["s"]),
        ("XADD s MAXLEN ~ 9 1-1 f v", ["s"]), ("XADD s NOMKSTREAM minid ~ 9 LIMIT 5 1-1 f v", ["s"]),
        ("XTRIM s MAXLEN ~ 9", ["s"]), ("XADD s \(String(repeating: "NOMKSTREAM ", count: 40))1-1 f v", ["s"]),
        ("XREADGROUP GROUP streams c STREAMS s >", ["s"]), ("XREADGROUP GROUP g block NOACK STREAMS s >", ["s"]),
        ("SORT a BY w_* STORE d", ["a", "d"]), ("GEORADIUS g 1 2 3 m STOREDIST d", ["g", "d"]),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS s t > >", ["s", "t"]), ("INCRBYFLOAT k 0.1", ["k"]),
        ("XCLAIM s g c 0 1-1", ["s"]), ("GEOSEARCHSTORE d g FROMMEMBER m BYRADIUS 1 m", ["d", "g"]),
    ]

    @Test(
        "what one version did by chance the other does by name",
        arguments: [
            ("SPOP s", "$1\r\nx\r\n", "SREM s x"), ("SPOP s 2", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n", "SREM s x y"),
            ("XADD s * f v", "$3\r\n5-1\r\n", "XADD s 5-1 f v"),
            ("XADD s MAXLEN = 9 NOMKSTREAM * * *", "$3\r\n5-1\r\n", "XADD s MAXLEN = 9 NOMKSTREAM 5-1 * *"),
        ])
    func named(_ text: String, _ reply: String, _ effect: String) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask(text)
        #expect(talk.requests(2) == redisWords(text))
        #expect(talk.requests(1).isEmpty)
        talk.answer(reply, from: 2)
        #expect(talk.requests(1) == redisWords(effect))
        #expect(talk.received().isEmpty)
        talk.answer(":1\r\n", from: 1)
        #expect(talk.received() == reply)
        #expect(talk.isEven)
    }

    @Test("what is left to chance or the time one version does, and its keys are copied", arguments: chancy)
    func led(_ text: String, _ keys: [String]) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask(text)
        let named = Keys(keys.map { redisKey($0) })
        #expect(talk.takeOrdered() == [KeyMarks(named).marks])
        #expect(talk.requests(1).isEmpty)
        #expect(talk.requests(2) == redisWords(text))
        talk.answer("+x\r\n", from: 2)
        #expect(talk.received() == "+x\r\n")
        #expect(talk.missed == [1: [MissedWrite(named, .copy)]])
    }

    @Test(
        "what only reads is not ordered",
        arguments: [
            "SORT a", "GEORADIUS g 1 2 3 m", "OBJECT ENCODING k", "MEMORY USAGE k", "XREAD STREAMS s 0", "EVAL_RO x 0",
            "KEYS *", "DBSIZE", "PING", "CLIENT ID", "CONFIG GET maxmemory", "SRANDMEMBER s", "LCS a b", "INFO",
        ])
    func reads(_ text: String) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask(text)
        #expect(talk.takeOrdered().isEmpty)
        #expect(talk.requests(1).isEmpty)
        #expect(talk.requests(2) == redisWords(text))
    }

    @Test("what changes everything is ordered with everything", arguments: ["FLUSHALL", "FLUSHDB ASYNC", "SWAPDB 0 1"])
    func everything(_ text: String) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask(text)
        #expect(talk.takeOrdered() == [nil])
    }

    @Test(
        "what cannot be done right is refused with the reason, whether one version runs or two",
        arguments: [
            "SUBSCRIBE c", "PSUBSCRIBE c", "SSUBSCRIBE c", "PUBLISH c m", "MONITOR", "SYNC", "PSYNC a 1", "SHUTDOWN",
            "CLIENT REPLY OFF", "CLIENT TRACKING ON", "CLIENT KILL a", "CONFIG SET a b", "DEBUG SLEEP 1",
            "REPLICAOF a 1",
            "SLAVEOF a 1", "CLUSTER SLOTS", "FAILOVER", "MIGRATE h 1 k 0 1", "SAVE", "BGSAVE", "WAIT 1 0",
            "MODULE LOAD x",
            "ACL SETUSER x", "BLPOP a 0", "BLPOP streams 0", "BRPOP a 0", "BLMOVE a b LEFT LEFT 0", "BLMPOP 0 1 a LEFT",
            "BZPOPMIN a 0",
            "BZPOPMAX a 0", "BZMPOP 0 1 a MIN", "BRPOPLPUSH a b 0", "XREAD BLOCK 0 STREAMS s 0", "SCRIPT KILL",
            "XREADGROUP GROUP g c BLOCK 5 STREAMS s >", "XREADGROUP GROUP streams c BLOCK 0 STREAMS s >",
            "XREADGROUP GROUP g streams COUNT 1 block 0 STREAMS s >", "XREADGROUP COUNT 1 GROUP streams c STREAMS s >",
            "XREAD COUNT 1 BLOCK 0 STREAMS s 0", "EVAL x 0", "EVALSHA x 0", "FCALL f 0", "HEXPIRE k 1",
            "NONSENSE",
            "CLIENT NONSENSE", "READONLY", "ASKING", "RESTORE-ASKING k 0 x",
        ])
    func refused(_ text: String) throws {
        for versions in [[1], [1, 2]] as [VersionList] {
            var talk = InMemoryProxy.greeted(versions)
            talk.ask(text)
            #expect(talk.isSilent)
            let reply = talk.received()
            #expect(reply.hasPrefix("-ERR VersionKit: ") && reply.hasSuffix("\r\n"), "\(text): \(reply)")
            #expect(!talk.isClosed("client"))
        }
    }

    @Test("a client that quits gets what it asked for before, a goodbye, and nothing more", arguments: [[1], [1, 2]])
    func quit(_ versions: [Version]) throws {
        var talk = InMemoryProxy.greeted(VersionList(versions))
        talk.say(redisWords("GET k", "QUIT", "GET k"))
        #expect(talk.received().isEmpty && !talk.isClosed("client"))
        talk.answer("$-1\r\n", from: versions[versions.count - 1])
        #expect(talk.received() == "$-1\r\n+OK\r\n")
        #expect(talk.isClosed("client"))
        talk.say(redisWords("GET k"))
        #expect(talk.received().isEmpty)
    }

    @Test("too few arguments are refused as a Redis refuses them")
    func arity() throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask("GET")
        #expect(talk.received() == "-ERR wrong number of arguments for 'get' command\r\n")
    }

    /// With the time of ``InMemoryProxy`` for the time.
    private static let expiries = [
        ("SET k v EX 10", "SET k v PXAT 1700000010000"), ("SET k v NX px 10 GET", "SET k v NX PXAT 1700000000010 GET"),
        ("SETEX k 10 v", "SET k v PXAT 1700000010000"), ("PSETEX k 10 v", "SET k v PXAT 1700000000010"),
        ("EXPIRE k 10 GT", "PEXPIREAT k 1700000010000 GT"), ("PEXPIRE k -10", "PEXPIREAT k 1699999999990"),
        ("GETEX k EX 1", "GETEX k PXAT 1700000001000"),
        ("RESTORE k 5 x REPLACE", "RESTORE k 1700000000005 x REPLACE ABSTTL"),
        ("EXPIREAT k 10", "EXPIREAT k 10"), ("SET k EX", "SET k EX"), ("SET k v KEEPTTL", "SET k v KEEPTTL"),
        ("SET k v EX x", "SET k v EX x"), ("SET k v EX 0", "SET k v EX 0"), ("SETEX k -1 v", "SETEX k -1 v"),
        ("EXPIRE k 9223372036854775807", "EXPIRE k 9223372036854775807"), ("RESTORE k 0 x", "RESTORE k 0 x"),
        ("RESTORE k 5 x ABSTTL", "RESTORE k 5 x ABSTTL"), ("SET k v EX", "SET k v EX"),
    ]

    @Test("times to live become times of day, the same for all versions", arguments: expiries)
    func expiry(_ text: String, _ sent: String) throws {
        var talk = InMemoryProxy.greeted([1, 2])
        talk.ask(text)
        #expect(talk.requests(1) == redisWords(sent))
        #expect(talk.requests(2) == redisWords(sent))
        talk.answer("+OK\r\n", from: 1, 2)
        #expect(talk.received() == "+OK\r\n")
    }

    @Test("one version alone gets the client's own bytes")
    func alone() throws {
        var talk = InMemoryProxy.greeted([1])
        talk.ask("SETEX k 10 v")
        #expect(talk.requests(1) == redisWords("SETEX k 10 v"))
        #expect(talk.takeOrdered().isEmpty)
    }

    @Test("a cursor carries the version that it belongs to, and goes back to that one")
    func cursors() throws {
        var talk = InMemoryProxy.greeted([1])
        talk.ask("SCAN 0")
        talk.answer("*2\r\n$2\r\n17\r\n*1\r\n$1\r\na\r\n", from: 1)
        #expect(talk.received() == "*2\r\n$4\r\n1701\r\n*1\r\n$1\r\na\r\n")
        talk.change([1, 2])
        _ = talk.requests(1)
        talk.ask("SCAN 1701 COUNT 5")
        #expect(talk.requests(1) == redisWords("SCAN 17 COUNT 5"))
        talk.answer("*2\r\n$1\r\n0\r\n*0\r\n", from: 1)
        #expect(talk.received() == "*2\r\n$1\r\n0\r\n*0\r\n")
        talk.ask("HSCAN h 0")
        #expect(talk.requests(2).hasSuffix(redisWords("HSCAN h 0")))
        talk.answer("+RESET\r\n+OK\r\n*2\r\n$1\r\n5\r\n*0\r\n", from: 2)
        #expect(talk.received() == "*2\r\n$3\r\n502\r\n*0\r\n")
        talk.change([2])
        talk.ask("SCAN 1701")
        #expect(talk.received().hasPrefix("-ERR VersionKit: the version that began this scan"))
        talk.ask("SCAN 7")
        #expect(talk.received() == "-ERR invalid cursor\r\n")
    }

    @Test("the database is part of the key, and a new connection is brought into it")
    func databases() throws {
        var talk = InMemoryProxy(RedisAdapter(), versions: [1, 2])
        talk.ask("SELECT 3")
        talk.say(redisWords("SET k v"))
        talk.answer("+RESET\r\n+OK\r\n", from: 1, 2)
        #expect(talk.takeOrdered() == [[redisMark("k", 3)]])
        talk.answer("+OK\r\n", from: 1, 2)
        talk.ask("MOVE k 4")
        #expect(talk.takeOrdered() == [[redisMark("k", 3), redisMark("k", 4)]])
        talk.answer(":1\r\n", from: 1, 2)
        talk.ask("COPY a b DB 5")
        #expect(talk.takeOrdered().first??.contains(redisMark("b", 5)) == true)
        talk.answer(":1\r\n", from: 1, 2)
        _ = talk.requests(2)
        talk.lose(2)
        talk.ask("GET k")
        #expect(talk.requests(2) == redisWords("SELECT 3") + redisWords("GET k"))
    }

    @Test("who the client is survives the loss of a connection, in the order that makes it valid")
    func sessions() throws {
        var talk = InMemoryProxy(RedisAdapter(), versions: [1])
        for (text, reply) in [
            ("HELLO 3 AUTH a p", "+RESET\r\n%0\r\n"), ("SELECT 2", "+OK\r\n"), ("AUTH b q", "+OK\r\n"),
            ("CLIENT SETNAME n", "+OK\r\n"), ("AUTH a r", "+OK\r\n"), ("AUTH wrong", "-ERR no\r\n"),
            ("SELECT 0", "+OK\r\n"),
        ] {
            talk.ask(text)
            talk.answer(reply, from: 1)
        }
        _ = talk.requests(1)
        talk.lose(1)
        talk.ask("PING")
        let setup = ["HELLO 3 AUTH a p", "SELECT 0", "AUTH a r", "CLIENT SETNAME n", "PING"]
        #expect(talk.requests(1) == setup.map { redisWords($0) }.joined())
        talk.answer("+RESET\r\n%0\r\n+OK\r\n+OK\r\n+OK\r\n+PONG\r\n", from: 1)
        talk.ask("RESET")
        talk.answer("+RESET\r\n", from: 1)
        _ = talk.requests(1)
        talk.lose(1)
        talk.ask("PING")
        #expect(talk.requests(1) == redisWords("PING"))
    }
}
