import CFSGeneration1
import CFSGeneration2
import CFSModel
import CFSProtocol1
import CFSProtocol2
import CFSRing
import FuzzSupport
import NIOCore
import ONCRPC

/// Feeds what CFS's nodes say to each other whatever libFuzzer thinks of. The first two bytes choose a procedure.
///
/// What must hold, beyond not crashing:
/// 1. a question that is understood is the same when it is written and read again;
/// 2. so is an answer to it;
/// 3. wrappings, and what lsdctl is told, are the same when they are written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    guard let program = input.readInteger(as: UInt8.self), let procedure = input.readInteger(as: UInt8.self) else {
        return 0
    }
    checkQuestion(UInt32(program & 7), UInt32(procedure & 15), input)
    checkQuestion2(UInt32(program & 15), UInt32(procedure & 15), input)
    checkValue(input, Transport2.Question.self)
    checkValue(input, Transport2.Answer.self)
    checkValue(input, Transport1.Question.self)
    checkValue(input, Transport1.Answer.self)
    checkValue(input, Control1.Nodes.self)
    checkValue(input, Control1.Statistics.self)
    checkValue(input, Control1.Blocks.self)
    checkValue(input, Control1.BlocksResult.self)
    return 0
}

private let node: ChordNode = {
    guard let address = NodeAddress(ipv4: 0x7F00_0001, port: 10_000, virtualNode: 0) else {
        fatalError("a node's address")
    }
    return ChordNode(address)
}()

private func checkQuestion(_ program: UInt32, _ procedure: UInt32, _ bytes: ByteBuffer) {
    let form = RequestForm1(program: 344_447 + program, procedure: procedure, arguments: bytes)
    guard let request = try? form.request else { return }
    guard let written = try? RequestForm1(request, to: node) else { fatalError("\(request) cannot be written") }
    check((try? written.request) == request, "\(request) is another one when written and read")
    guard let reply = try? ReplyForm1.reply(bytes, to: request) else { return }
    guard let results = try? ReplyForm1.results(reply, to: request, from: node) else {
        fatalError("\(reply) to \(request) cannot be written")
    }
    check((try? ReplyForm1.reply(results, to: request)) == reply, "\(reply) is another one when written and read")
}

/// The same in the forms of generation 2, which has programs up to 344460.
private func checkQuestion2(_ program: UInt32, _ procedure: UInt32, _ bytes: ByteBuffer) {
    let form = RequestForm2(program: 344_447 + program, procedure: procedure, arguments: bytes)
    guard let request = try? form.request else { return }
    guard let written = try? RequestForm2(request, to: node) else { fatalError("\(request) cannot be written") }
    check((try? written.request) == request, "\(request) is another one when written and read")
    guard let reply = try? ReplyForm2.reply(bytes, to: request) else { return }
    guard let results = try? ReplyForm2.results(reply, to: request, from: node) else {
        fatalError("\(reply) to \(request) cannot be written")
    }
    check((try? ReplyForm2.reply(results, to: request)) == reply, "\(reply) is another one when written and read")
}

private func checkValue<Value: XDRCodable & Equatable>(_ bytes: ByteBuffer, _: Value.Type) {
    guard let value = try? XDRReader.readAll(bytes, as: Value.self) else { return }
    guard let written = try? XDRWriter.bytes(of: value) else { fatalError("\(value) was read and cannot be written") }
    check((try? XDRReader.readAll(written, as: Value.self)) == value, "\(value) is another one when written and read")
}
