public import NIOCore
public import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Quick looks have to say what parsing and ``MessageAdapter/dispatch(_:_:)`` say: the proxy traps where they do not.
extension FramingCheck {
    /// Whatever a quick look says of these requests, cut anywhere and damaged in any way, parsing them says, too.
    ///
    /// - Parameters:
    ///   - samples: requests, valid or not.
    ///   - seed: the same damage for the same seed.
    ///   - rounds: how many damaged requests are tried.
    public func glances(_ samples: [ByteBuffer], from client: Version, seed: UInt64, rounds: Int = 1000) throws {
        var generator = SeededGenerator(seed: seed)
        for sample in samples {
            for end in 0...sample.readableBytes {
                try checkGlance(sample.getSlice(at: sample.readerIndex, length: end) ?? ByteBuffer(), from: client)
            }
        }
        for _ in 0..<rounds {
            guard let sample = samples.randomElement(using: &generator) else { return }
            let damaged = Damage.apply(to: Array(sample.readableBytesView), using: &generator)
            try checkGlance(ByteBuffer(bytes: damaged), from: client)
        }
    }

    /// The quick look at a reply finds the end that parsing finds, and calls plain only what is an answer.
    public func glancedReplies(_ samples: [(request: ByteBuffer, reply: ByteBuffer)], from version: Version) throws {
        for (request, reply) in samples {
            let asked = try self.request(request, for: version)
            for end in 0...reply.readableBytes {
                let bytes = reply.getSlice(at: reply.readerIndex, length: end) ?? ByteBuffer()
                try checkGlancedReply(bytes, to: asked, from: version)
            }
        }
    }

    /// One quick look at a reply, compared with parsing it.
    func checkGlancedReply(_ bytes: ByteBuffer, to asked: Adapter.Request, from version: Version) throws {
        var (quick, whole) = (PeekBuffer(bytes), PeekBuffer(bytes))
        guard adapter.glanceReply(at: &quick, from: version) == true else { return }
        guard let parsed = try? adapter.parseReply(&whole, to: asked, from: version),
            quick.peekedBytes == whole.peekedBytes, adapter.judge(parsed) == .answer
        else { throw VerificationFailure("\(text(bytes)) is taken for a plain reply, and is none") }
    }

    /// One quick look, compared with parsing and dispatching the same bytes.
    func checkGlance(_ bytes: ByteBuffer, from client: Version) throws {
        var quick = PeekBuffer(bytes)
        guard let glance = adapter.glance(at: &quick, from: client, in: adapter.makeSession()), glance != .unusual
        else {
            return
        }
        var whole = PeekBuffer(bytes)
        var parsed: Adapter.Request?
        do throws(ProxyError) {
            parsed = try adapter.parseRequest(&whole, from: client)
        } catch {
            throw VerificationFailure("\(text(bytes)) is \(glance) at a glance, and cannot be parsed: \(error)")
        }
        guard var request = parsed, quick.peekedBytes == whole.peekedBytes else {
            throw VerificationFailure("\(text(bytes)) ends elsewhere at a glance: \(quick.peekedBytes)")
        }
        let other: Version = client == 1 ? 2 : 1
        for versions in [[client], [client, other]] as [VersionList] {
            var context = DispatchContext(versions: versions, milliseconds: 0, session: adapter.makeSession())
            let dispatch = adapter.dispatch(&request, &context)
            guard agrees(glance, dispatch, isAlone: versions.count == 1) else {
                throw VerificationFailure("\(text(bytes)) is \(glance) at a glance, and \(dispatch) at a second one")
            }
        }
    }

    private func agrees(_ glance: Glance, _ dispatch: Dispatch<Adapter.Reply>, isAlone: Bool) -> Bool {
        switch (glance, dispatch) {
        case (_, .answer), (_, .answerAndClose), (_, .session), (_, .only), (_, .custom), (.unusual, _): false
        case _ where isAlone: true
        case (.read, .newestFirst), (.other, _): true
        case (.write(let mark), .all(let keys, _)): KeyMarks(keys) == .one(mark)
        default: false
        }
    }
}
