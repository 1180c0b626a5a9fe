public import NIOCore
public import VersionKitModel
public import VersionKitProxy
import VersionKitWire

/// Checks the framing of an adapter: bytes come in pieces, and a parser must not care in which.
///
/// ```swift
/// try FramingCheck(StoreAdapter()).requests(samples, from: 1)
/// ```
///
/// Every check throws ``VerificationFailure`` with the bytes and what was made of them.
public struct FramingCheck<Adapter: MessageAdapter> {
    let adapter: Adapter

    /// A check of an adapter's framing.
    public init(_ adapter: Adapter) { self.adapter = adapter }

    /// Each of these byte strings is one request, alone, after others, and however it is cut.
    public func requests(_ samples: [ByteBuffer], from client: Version) throws {
        try check(samples) { bytes throws(ProxyError) in try adapter.parseRequest(&bytes, from: client).map { "\($0)" }
        }
    }

    /// Each of these byte strings is one reply to the request beside it.
    public func replies(_ samples: [(request: ByteBuffer, reply: ByteBuffer)], from version: Version) throws {
        for (request, reply) in samples {
            let asked = try self.request(request, for: version)
            try check([reply]) { bytes throws(ProxyError) in
                try adapter.parseReply(&bytes, to: asked, from: version).map { "\($0)" }
            }
        }
    }

    private typealias Parse = (inout PeekBuffer) throws(ProxyError) -> String?

    private func check(_ samples: [ByteBuffer], _ parse: Parse) throws {
        var wholes: [String] = []
        for sample in samples {
            let whole = try parseAll(sample, cutAt: [], parse)
            guard whole.count == 1 else {
                throw VerificationFailure("\(text(sample)) is \(whole.count) messages, not one: \(whole)")
            }
            wholes += whole
            for cut in 1..<max(2, sample.readableBytes) {
                try expect(try parseAll(sample, cutAt: [cut], parse), whole, sample, "cut after \(cut) bytes")
            }
            try expect(
                try parseAll(sample, cutAt: Array(1..<max(2, sample.readableBytes)), parse), whole, sample,
                "fed byte by byte")
        }
        var all = ByteBuffer()
        for sample in samples { all.writeImmutableBuffer(sample) }
        try expect(try parseAll(all, cutAt: [], parse), wholes, all, "one after the other")
    }

    private func expect(_ got: [String], _ expected: [String], _ bytes: ByteBuffer, _ how: String) throws {
        guard got != expected else { return }
        throw VerificationFailure("\(text(bytes)), \(how), is \(got) instead of \(expected)")
    }

    /// All messages in bytes that come in pieces, as an engine would get them.
    private func parseAll(_ bytes: ByteBuffer, cutAt cuts: [Int], _ parse: Parse) throws -> [String] {
        var rest = bytes
        var position = 0
        var buffer = PeekBuffer()
        var messages: [String] = []
        for end in cuts + [bytes.readableBytes] where end > position {
            guard let piece = rest.readSlice(length: end - position) else { break }
            position = end
            buffer.append(piece)
            while buffer.count > 0 {
                buffer.resetPeek()
                guard let message = try parse(&buffer) else { break }
                guard buffer.peekedBytes > 0 else {
                    throw VerificationFailure("\(text(bytes)): a message of no bytes was made: \(message)")
                }
                messages.append(message)
                buffer.consume(buffer.peekedBytes)
            }
        }
        guard buffer.count == 0 else {
            throw VerificationFailure("\(text(bytes)): \(buffer.count) bytes are left over")
        }
        return messages
    }

    /// Damaged bytes are incomplete, a message, or a ``ProxyError``: never a crash, and never more than was there.
    ///
    /// - Parameters:
    ///   - samples: valid requests to be damaged.
    ///   - seed: the same damage for the same seed.
    public func damagedRequests(_ samples: [ByteBuffer], from client: Version, seed: UInt64, rounds: Int = 1000) throws
    {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<rounds {
            guard let sample = samples.randomElement(using: &generator) else { return }
            try checkDamaged(sample, using: &generator) { bytes throws(ProxyError) in
                try adapter.parseRequest(&bytes, from: client) != nil
            }
        }
    }

    /// The same for replies to the requests beside them; and what a quick look at one says, parsing it says, too.
    ///
    /// - Parameters:
    ///   - samples: valid requests, and valid replies to be damaged.
    ///   - seed: the same damage for the same seed.
    public func damagedReplies(
        _ samples: [(request: ByteBuffer, reply: ByteBuffer)], from version: Version, seed: UInt64, rounds: Int = 1000
    ) throws {
        let asked = try samples.map { (request: try request($0.request, for: version), reply: $0.reply) }
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<rounds {
            guard let (asked, sample) = asked.randomElement(using: &generator) else { return }
            let damaged = try checkDamaged(sample, using: &generator) { bytes throws(ProxyError) in
                try adapter.parseReply(&bytes, to: asked, from: version) != nil
            }
            try checkGlancedReply(damaged, to: asked, from: version)
        }
    }

    /// Damages bytes, and parses them.
    ///
    /// - Parameter parse: whether a message was made of them.
    @discardableResult
    private func checkDamaged(
        _ sample: ByteBuffer, using generator: inout SeededGenerator,
        _ parse: (inout PeekBuffer) throws(ProxyError) -> Bool
    ) throws -> ByteBuffer {
        let damaged = ByteBuffer(bytes: Damage.apply(to: Array(sample.readableBytesView), using: &generator))
        var bytes = PeekBuffer(damaged)
        do throws(ProxyError) {
            guard try parse(&bytes) else { return damaged }
        } catch {
            return damaged
        }
        guard bytes.peekedBytes > 0, bytes.peekedBytes <= damaged.readableBytes else {
            throw VerificationFailure("\(text(damaged)): \(bytes.peekedBytes) bytes were used")
        }
        return damaged
    }

    /// A request that a reply is to.
    func request(_ bytes: ByteBuffer, for version: Version) throws -> Adapter.Request {
        var asked = PeekBuffer(bytes)
        guard let request = try adapter.parseRequest(&asked, from: version) else {
            throw VerificationFailure("\(text(bytes)) is not a whole request")
        }
        return request
    }

    func text(_ bytes: ByteBuffer) -> String { "'\(EscapedText.encode(bytes))'" }
}

/// What happens to bytes on their way.
enum Damage {
    static func apply(to bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            case 3: bytes.removeSubrange(index...)
            default: bytes.insert(contentsOf: bytes[index...].prefix(16), at: index)
            }
        }
        return bytes
    }
}
