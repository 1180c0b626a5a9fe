public import NIOCore
public import VersionKit

/// What a quick look takes for an ordinary request ends where parsing says, and the proxy has not to answer it by itself:
/// the framework traps where the two differ.
public func checkGlance(_ bytes: ByteBuffer, _ adapter: some MessageAdapter) {
    var (quick, whole) = (PeekBuffer(bytes), PeekBuffer(bytes))
    guard let glance = adapter.glance(at: &quick, from: 1, in: adapter.makeSession()), glance != .unusual else {
        return
    }
    guard var request = try? adapter.parseRequest(&whole, from: 1), quick.peekedBytes == whole.peekedBytes else {
        fatalError("\(bytes) is \(glance) at a glance, and cannot be parsed like that")
    }
    for versions in [[1], [1, 2]] as [VersionList] {
        var context = DispatchContext(versions: versions, milliseconds: 0, session: adapter.makeSession())
        switch (glance, adapter.dispatch(&request, &context)) {
        case (_, .answer), (_, .answerAndClose), (_, .session), (_, .only), (_, .custom):
            fatalError("\(bytes) is not \(glance)")
        case _ where versions.count == 1: break
        case (.read, .newestFirst), (.other, _): break
        case (.write(let mark), .all(let keys, _)) where KeyMarks(keys) == .one(mark): break
        case (_, let dispatch): fatalError("\(bytes) is \(glance) at a glance, and \(dispatch)")
        }
    }
}

/// What a quick look takes for a plain reply is one, and ends where parsing says.
public func checkReplyGlance<Adapter: MessageAdapter>(
    _ bytes: ByteBuffer, to question: Adapter.Request, _ adapter: Adapter
) {
    var (quick, whole) = (PeekBuffer(bytes), PeekBuffer(bytes))
    guard adapter.glanceReply(at: &quick, from: 1) == true else { return }
    guard let reply = try? adapter.parseReply(&whole, to: question, from: 1), adapter.judge(reply) == .answer,
        quick.peekedBytes == whole.peekedBytes
    else { fatalError("\(bytes) is taken for a plain reply, and is none") }
}
