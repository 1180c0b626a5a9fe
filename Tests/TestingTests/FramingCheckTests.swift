import NIOCore
import Testing
import VersionKitModel
import VersionKitTesting

@Suite("FramingCheck")
struct FramingCheckTests {
    private let samples = ["set a 1\n", "get b\n"].map { ByteBuffer(string: $0) }

    @Test("framing that does not care how bytes are cut passes")
    func right() throws {
        try FramingCheck(StoreAdapter()).requests(samples, from: 1)
        try FramingCheck(StoreAdapter()).replies(
            [(ByteBuffer(string: "get a\n"), ByteBuffer(string: "12\n"))], from: 1)
        try FramingCheck(StoreAdapter()).damagedRequests(samples, from: 1, seed: 1)
    }

    @Test("framing that takes half a message, or a byte of the next one, is found", arguments: [true, false])
    func wrong(_ isHalf: Bool) {
        let adapter = StoreAdapter(mistake: isHalf ? .takesHalfLines : .losesBytes)
        #expect(throws: (any Error).self) { try FramingCheck(adapter).requests(samples, from: 1) }
    }

    private var replies: [(request: ByteBuffer, reply: ByteBuffer)] {
        ["12\n", "none\n", "error x\n"].map { (ByteBuffer(string: "get a\n"), ByteBuffer(string: $0)) }
    }

    @Test("replies that come damaged are refused, awaited or understood, and mistakes about them are found")
    func damagedReplies() throws {
        try FramingCheck(StoreAdapter(way: .inRuns)).damagedReplies(replies, from: 1, seed: 1)
        for mistake in [StoreAdapter.Mistake.makesRepliesOfNothing, .callsAllAnswers] {
            #expect(throws: VerificationFailure.self) {
                try FramingCheck(StoreAdapter(mistake: mistake)).damagedReplies(replies, from: 1, seed: 1)
            }
        }
        let half = [(ByteBuffer(string: "get"), ByteBuffer(string: "1\n"))]
        #expect(throws: VerificationFailure.self) {
            try FramingCheck(StoreAdapter()).damagedReplies(half, from: 1, seed: 1)
        }
    }

    @Test("a quick look that says what parsing says passes, and one that does not is found")
    func glances() throws {
        let samples = ["set a 1\n", "get b\n", "move a b\n", "roll a\n", "keys all\n"].map { ByteBuffer(string: $0) }
        try FramingCheck(StoreAdapter(way: .inRuns)).glances(samples, from: 1, seed: 1)
        let hasty = StoreAdapter(mistake: .callsAllReads, way: .inRuns)
        #expect(throws: VerificationFailure.self) { try FramingCheck(hasty).glances(samples, from: 1, seed: 1) }
    }
}
