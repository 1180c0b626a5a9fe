import RedisAdapter
import Testing
import VersionKit
import VersionKitTesting

@Suite("RedisAdapter: single keys")
struct RedisKeyTests {
    private let adapter = RedisAdapter()

    private func text(_ requests: [RespRequest]) throws -> String {
        try requests.map { String(buffer: try adapter.encode($0, for: 1)) }.joined()
    }

    private func replies(_ texts: String..., to requests: [RespRequest]) throws -> [RespReply] {
        try zip(texts, requests).map { text, request in
            var bytes = PeekBuffer(ByteBuffer(string: text))
            return try #require(try adapter.parseReply(&bytes, to: request, from: 1))
        }
    }

    @Test("keys are listed database by database, until there is none of that number")
    func listing() throws {
        let first = adapter.list(after: nil)
        #expect(try text(first) == redisWords("SELECT 0", "SCAN 0 COUNT 1000"))
        let page = try adapter.page(
            try replies("+OK\r\n", "*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", to: first), after: nil)
        #expect(page.keys.prefix(2) == [redisKey("a"), redisKey("b")])
        let second = adapter.list(after: page.next)
        #expect(try text(second) == redisWords("SELECT 0", "SCAN 17 COUNT 1000"))
        let last = try adapter.page(try replies("+OK\r\n", "*2\r\n$1\r\n0\r\n*0\r\n", to: second), after: page.next)
        #expect(last.keys.isEmpty)
        let third = adapter.list(after: last.next)
        #expect(try text(third) == redisWords("SELECT 1", "SCAN 0 COUNT 1000"))
        let end = try adapter.page(
            try replies("-ERR DB index is out of range\r\n", "*2\r\n$1\r\n0\r\n*0\r\n", to: third), after: last.next)
        #expect(end.keys.isEmpty && end.next == nil)
        #expect(throws: ProxyError.self) {
            try adapter.page(try replies("-NOAUTH no\r\n", "-NOAUTH no\r\n", to: third), after: last.next)
        }
    }

    @Test("a key is read with its value and its end, and installed with both")
    func copying() throws {
        let key = redisKey("k", 2)
        let read = adapter.read(key)
        #expect(try text(read) == redisWords("SELECT 2", "DUMP k", "PEXPIRETIME k"))
        let timed = try adapter.install(
            key, from: try replies("+OK\r\n", "$3\r\nabc\r\n", ":99\r\n", to: read), milliseconds: 1_700_000_000_000)
        #expect(try text(timed) == redisWords("SELECT 2", "RESTORE k 99 abc REPLACE ABSTTL"))
        let forever = try adapter.install(
            key, from: try replies("+OK\r\n", "$3\r\nabc\r\n", ":-1\r\n", to: read), milliseconds: 1_700_000_000_000)
        #expect(try text(forever) == redisWords("SELECT 2", "RESTORE k 0 abc REPLACE ABSTTL"))
        let none = try adapter.install(
            key, from: try replies("+OK\r\n", "$-1\r\n", ":-2\r\n", to: read), milliseconds: 1_700_000_000_000)
        #expect(try text(none) == redisWords("SELECT 2", "DEL k"))
        #expect(throws: ProxyError.self) {
            try adapter.install(
                key, from: try replies("+OK\r\n", "-OOM no\r\n", ":-1\r\n", to: read), milliseconds: 1_700_000_000_000)
        }
    }

    @Test("keys are compared by their contents and their end, and an error is no agreement")
    func digests() throws {
        let digest = adapter.digest(redisKey("k"))
        #expect(try text(digest) == redisWords("SELECT 0", "DEBUG DIGEST-VALUE k", "PEXPIRETIME k"))
        let one = try replies("+OK\r\n", "*1\r\n$2\r\nab\r\n", ":1\r\n", to: digest)
        let other = try replies("+OK\r\n", "-ERR DEBUG\r\n", ":2\r\n", to: digest)
        #expect(adapter.agree(one[1], one[1], on: digest[1]))
        #expect(!adapter.agree(one[2], other[2], on: digest[2]))
        #expect(!adapter.agree(other[1], other[1], on: digest[1]))
    }

    @Test("libraries of functions are one key, which is compared whatever their order")
    func functions() throws {
        let key = try #require(
            try adapter.page(
                try replies("+OK\r\n", "*2\r\n$1\r\n0\r\n*0\r\n", to: adapter.list(after: nil)), after: nil
            ).keys.last)
        let read = adapter.read(key)
        #expect(try text(read) == redisWords("FUNCTION DUMP"))
        let install = try adapter.install(
            key, from: try replies("$2\r\nab\r\n", to: read), milliseconds: 1_700_000_000_000)
        #expect(try text(install) == redisWords("FUNCTION RESTORE ab FLUSH"))
        let digest = adapter.digest(key)
        #expect(try text(digest) == redisWords("FUNCTION LIST WITHCODE"))
        let one = try replies("*2\r\n*2\r\n+a\r\n+b\r\n*1\r\n+c\r\n", to: digest)[0]
        let other = try replies("*2\r\n*1\r\n+c\r\n*2\r\n+b\r\n+a\r\n", to: digest)[0]
        #expect(adapter.agree(one, other, on: digest[0]))
        let more = try replies("*1\r\n*1\r\n+c\r\n", to: digest)[0]
        #expect(!adapter.agree(one, more, on: digest[0]))
    }
}
