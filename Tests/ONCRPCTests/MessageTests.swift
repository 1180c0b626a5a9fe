import NIOCore
import ONCRPC
import Testing

/// Goal: messages are those of RFC 5531, byte for byte, and whatever is none is told from them.
struct MessageTests {
    private static let call = RPCCall(
        xid: 0xAABB_CCDD, program: 344_448, version: 1, procedure: 2, arguments: hex("01020304"))
    private static let callBytes = hex(
        "aabbccdd 00000000 00000002 00054180 00000001 00000002 00000000 00000000 00000000 00000000 01020304")

    private static let replies: [(RPCReply.Outcome, String)] = [
        (.success(hex("0000002a")), "00000000 00000000 00000000 00000000 0000002a"),
        (.programUnavailable, "00000000 00000000 00000000 00000001"),
        (.programMismatch(low: 2, high: 3), "00000000 00000000 00000000 00000002 00000002 00000003"),
        (.procedureUnavailable, "00000000 00000000 00000000 00000003"),
        (.garbageArguments, "00000000 00000000 00000000 00000004"),
        (.systemError, "00000000 00000000 00000000 00000005"),
        (.versionMismatch(low: 2, high: 2), "00000001 00000000 00000002 00000002"),
        (.authenticationError(.tooWeak), "00000001 00000001 00000005"),
    ]

    @Test("a call is written and read as the RFC says")
    func call() throws {
        #expect(try Self.call.encoded() == Self.callBytes)
        #expect(try RPCMessage(Self.callBytes) == .call(Self.call))
    }

    @Test("every reply is written and read as the RFC says", arguments: replies.indices)
    func reply(index: Int) throws {
        let (outcome, bytes) = Self.replies[index]
        let message = hex("00000007 00000001" + bytes)
        #expect(try RPCReply(xid: 7, outcome).encoded() == message)
        #expect(try RPCMessage(message) == .reply(RPCReply(xid: 7, outcome)))
    }

    @Test("no beginning of a message is one that can be answered or believed")
    func beginnings() throws {
        for length in 0..<40 {
            let part = try #require(Self.callBytes.getSlice(at: 0, length: length))
            // From where the credential begins, the RFC has an answer.
            switch (length, try? RPCMessage(part)) {
            case (0..<24, nil): break
            case (24..<32, .refused(let reply)): #expect(reply.outcome == .authenticationError(.badCredential))
            case (32..<40, .refused(let reply)): #expect(reply.outcome == .authenticationError(.badVerifier))
            case (_, let message): Issue.record("\(length) bytes are \(String(describing: message))")
            }
        }
        for (outcome, _) in Self.replies {
            let whole = try RPCReply(xid: 7, outcome).encoded()
            // Behind `success` there are the results, of which nothing is known here.
            let end = outcome == .success(hex("0000002a")) ? whole.readableBytes - 4 : whole.readableBytes
            for length in 0..<end {
                let part = try #require(whole.getSlice(at: 0, length: length))
                #expect(throws: XDRError.self, "\(length) bytes of \(outcome)") { try RPCMessage(part) }
            }
        }
    }

    @Test("another version of RPC is answered with the one there is")
    func otherVersion() throws {
        var bytes = Self.callBytes
        bytes.setInteger(3, at: 8, as: UInt32.self)
        #expect(
            try RPCMessage(bytes) == .refused(RPCReply(xid: 0xAABB_CCDD, .versionMismatch(low: 2, high: 2))))
    }

    @Test("what another flavor has in its body is passed over, up to 400 bytes")
    func otherFlavor() throws {
        var call = Self.call
        call.credential = RPCAuthentication(.system, body: ByteBuffer(repeating: 7, count: 399))
        call.verifier = RPCAuthentication(.init(rawValue: 99), body: ByteBuffer(repeating: 8, count: 400))
        #expect(try RPCMessage(call.encoded()) == .call(call))
        call.credential.body.writeRepeatingByte(7, count: 2)
        #expect(throws: XDRError.self) { try call.encoded() }
    }

    @Test("a credential or verifier of more than 400 bytes is refused, whatever follows", arguments: [24, 32])
    func longBody(position: Int) throws {
        var bytes = Self.callBytes
        bytes.setInteger(401, at: position + 4, as: UInt32.self)
        bytes.writeRepeatingByte(0, count: 1000)
        let status: RPCAuthenticationStatus = position == 24 ? .badCredential : .badVerifier
        #expect(try RPCMessage(bytes) == .refused(RPCReply(xid: 0xAABB_CCDD, .authenticationError(status))))
    }

    @Test(
        "what is neither call nor reply is no message",
        arguments: [
            ("00000001 00000002", 4), ("00000001 00000001 00000002", 8),
            ("00000001 00000001 00000001 00000002", 12), ("00000001 00000001 00000000 00000000 00000000 00000006", 20),
        ])
    func neither(message: String, offset: Int) {
        let error = #expect(throws: XDRError.self) { try RPCMessage(hex(message)) }
        guard case .unknownCase = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.offset == offset)
    }

    @Test("a refusal with something behind it is no message")
    func trailing() {
        #expect(throws: XDRError(.trailingBytes(4), at: 24)) {
            try RPCMessage(hex("00000007 00000001 00000000 00000000 00000000 00000005 00000000"))
        }
    }
}
