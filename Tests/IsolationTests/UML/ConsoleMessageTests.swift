import Testing

@testable import VersionKitIsolation

/// Goal: the management console's messages are those that a User Mode Linux kernel understands. Method: bytes, no machine.
@Suite("Messages of a management console")
struct ConsoleMessageTests {
    @Test("a request has a magic number, a version, its length and room for the longest text")
    func request() {
        let bytes = ConsoleMessage.encode(.sync)
        #expect(bytes.count == 524)
        #expect(Self.numbers(bytes.prefix(12)) == [0xCAFE_BABE, 2, 7])
        #expect(bytes[12..<19].elementsEqual("sysrq s".utf8))
        #expect(bytes[19...].allSatisfy { $0 == 0 })
    }

    @Test("an answer is an error or not, and may have another part")
    func answer() {
        let last = ConsoleMessage.answer(Self.bytes([0, 0, 3], "OK\0"))
        #expect(last == ConsoleMessage.Answer(isError: false, hasMore: false, text: "OK"))
        let part = ConsoleMessage.answer(Self.bytes([1, 1, 2], "no"))
        #expect(part == ConsoleMessage.Answer(isError: true, hasMore: true, text: "no"))
    }

    @Test("a length beyond the end of an answer is not believed")
    func wrongLength() {
        let answer = ConsoleMessage.answer(Self.bytes([0, 0, .max], "OK"))
        #expect(answer?.text == "OK")
    }

    @Test("what is too short, or nobody knows, is no message", arguments: [0, 1, 11])
    func short(count: Int) {
        let bytes = [UInt8](repeating: 1, count: count)
        #expect(ConsoleMessage.answer(bytes) == nil)
        #expect(ConsoleMessage.notice(bytes) == nil)
    }

    @Test("a machine that is already as it is told to be has no error")
    func alreadySo() {
        #expect(ConsoleMessage.isAlreadySo(.go, "Not stopped"))
        #expect(ConsoleMessage.isAlreadySo(.stop, "Already stopped"))
        #expect(ConsoleMessage.isAlreadySo(.stop, "Not stopped") == false)
        #expect(ConsoleMessage.isAlreadySo(.halt, "Not stopped") == false)
    }

    @Test("a notice is told by its type; one without the magic number, or of another type, is none")
    func notice() {
        #expect(ConsoleMessage.notice(Self.bytes([0xCAFE_BABE, 2, 3, 5], "ready")) == .user)
        #expect(ConsoleMessage.notice(Self.bytes([0xCAFE_BABE, 2, 1, 0], "")) == .panic)
        #expect(ConsoleMessage.notice(Self.bytes([0xCAFE_BABE, 2, 9, 0], "")) == nil)
        #expect(ConsoleMessage.notice(Self.bytes([1, 2, 3, 0], "")) == nil)
    }

    private static func bytes(_ numbers: [UInt32], _ text: String) -> [UInt8] {
        numbers.flatMap { number in withUnsafeBytes(of: number) { Array($0) } } + Array(text.utf8)
    }

    private static func numbers(_ bytes: some Collection<UInt8>) -> [UInt32] {
        let bytes = Array(bytes)
        return stride(from: 0, to: bytes.count, by: 4).map { index in
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index, as: UInt32.self) }
        }
    }
}
