import MemcachedAdapter
import Testing
import VersionKit

@Suite("MemcachedAdapter's keys")
struct MemcachedKeysTests {
    private let adapter = MemcachedAdapter()
    private let key = ByteBuffer(string: "a")

    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func sent(_ requests: [MemcachedRequest]) -> [String] {
        requests.map { String(buffer: adapter.encode($0, for: 1)) }
    }

    @Test("a listing names the keys as clients do")
    func page() throws {
        #expect(sent(adapter.list(after: nil)) == ["lru_crawler metadump hash\r\n"])
        let list = "key=f%E9%25%3A%2Fo exp=1 la=2 cas=2 size=72\nkey=foo exp=-1 la=2 size=69\nEND\r\n"
        let page = try adapter.page([bytes(list)], after: nil)
        #expect(page.keys == [ByteBuffer(bytes: [0x66, 0xE9, 0x25, 0x3A, 0x2F, 0x6F]), bytes("foo")])
        #expect(try adapter.page([bytes("END\r\n")], after: nil).keys.isEmpty)
        #expect(throws: ProxyError.self) { try adapter.page([bytes("BUSY crawling\r\n")], after: nil) }
    }

    @Test("a key is installed with value, flags and the time it has left")
    func install() throws {
        #expect(sent(adapter.read(key)) == ["mg a f t v u\r\n"])
        #expect(
            try sent(adapter.install(key, from: [bytes("VA 4 f5 t99\r\nx\r\ny\r\n")], milliseconds: 1_700_000_000_000))
                == ["set a 5 1700000099 4\r\nx\r\ny\r\n"]
        )
        #expect(
            try sent(adapter.install(key, from: [bytes("VA 0 f0 t-1\r\n\r\n")], milliseconds: 1_700_000_000_000)) == [
                "set a 0 0 0\r\n\r\n"
            ])
        #expect(
            try sent(adapter.install(key, from: [bytes("VA 1 f0 t9999999\r\nx\r\n")], milliseconds: 1_700_000_000_000))
                == ["set a 0 1709999999 1\r\nx\r\n"]
        )
        #expect(
            try sent(adapter.install(key, from: [bytes("EN\r\n")], milliseconds: 1_700_000_000_000)) == ["delete a\r\n"]
        )
        #expect(throws: ProxyError.self) {
            try adapter.install(key, from: [bytes("SERVER_ERROR out of memory\r\n")], milliseconds: 1_700_000_000_000)
        }
    }

    @Test(
        "versions agree on a key if flags and value are equal and it expires within two seconds",
        arguments: [
            ("VA 1 f0 t60\r\nx\r\n", true), ("VA 1 f0 t62\r\nx\r\n", true), ("VA 1 f0 t63\r\nx\r\n", false),
            ("VA 1 f0 t-1\r\nx\r\n", false), ("VA 1 f1 t60\r\nx\r\n", false), ("VA 1 f0 t60\r\ny\r\n", false),
            ("EN\r\n", false),
        ])
    func agree(other: String, isSame: Bool) {
        let request = adapter.digest(key)[0]
        #expect(adapter.agree(bytes("VA 1 f0 t60\r\nx\r\n"), bytes(other), on: request) == isSame)
    }
}
