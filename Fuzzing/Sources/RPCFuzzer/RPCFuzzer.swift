import CFSProtocol1
import CFSProtocol2
import FuzzSupport
import NIOCore
import ONCRPC

/// Feeds ONC RPC and the messages of CFS's gateways whatever libFuzzer thinks of.
///
/// What must hold, beyond not crashing:
/// 1. records are the same, and so is the error that ends them, however the stream is cut;
/// 2. a message that is read is written again as it came;
/// 3. arguments and results that are read, written and read again are the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    for record in checkRecords(of: input) { checkMessage(record) }
    checkMessage(input)
    checkValues(input)
    return 0
}

/// Limits that inputs of a few bytes can exceed.
private let limits: RPCLimits = {
    var limits = RPCLimits()
    limits.recordBytesMax = 1024
    limits.fragmentsMax = 8
    return limits
}()

private func checkRecords(of stream: ByteBuffer) -> [ByteBuffer] {
    let whole = records(of: stream, piece: max(stream.readableBytes, 1))
    for piece in [1, 3, 7] {
        let cut = records(of: stream, piece: piece)
        check(cut.records == whole.records, "\(cut.records.count) records in pieces, \(whole.records.count) at once")
        check(
            cut.error == whole.error,
            "in pieces \(String(describing: cut.error)), at once \(String(describing: whole.error))")
    }
    return whole.records
}

private func records(of stream: ByteBuffer, piece: Int) -> (records: [ByteBuffer], error: RecordError?) {
    var reader = RecordReader(limits: limits)
    var stream = stream
    var records: [ByteBuffer] = []
    do throws(RecordError) {
        while let bytes = stream.readSlice(length: min(piece, stream.readableBytes)), bytes.readableBytes > 0 {
            reader.append(bytes)
            while let record = try reader.next() {
                check(record.readableBytes <= limits.recordBytesMax, "a record of \(record.readableBytes) bytes")
                records.append(record)
            }
        }
        try reader.end()
        return (records, nil)
    } catch {
        return (records, error)
    }
}

private func checkMessage(_ bytes: ByteBuffer) {
    switch try? RPCMessage(bytes) {
    case .call(let call):
        checkWritten(try? call.encoded(), bytes)
        checkValues(call.arguments)
        _ = dispatcher.decide(call)
    case .reply(let reply):
        checkWritten(try? reply.encoded(), bytes)
        if case .success(let results) = reply.outcome { checkValues(results) }
    case .refused(let reply): check((try? reply.encoded()) != nil, "a refusal that cannot be sent")
    case nil: break
    }
}

/// Padding is checked, so there is one spelling.
private func checkWritten(_ written: ByteBuffer?, _ bytes: ByteBuffer) {
    check(written == bytes, "\(bytes) came back as \(String(describing: written))")
}

private let dispatcher: RPCDispatcher = {
    var service = RPCService(Gateway1.program)
    service.on(Gateway1.insert) { _, _ in .failed(.error) }
    service.on(Gateway1.retrieve) { _, _ in .failed(.error) }
    return RPCDispatcher([service])
}()

private func checkValues(_ bytes: ByteBuffer) {
    checkValue(bytes, Gateway1.Insertion.self)
    checkValue(bytes, Gateway1.Retrieval.self)
    checkValue(bytes, Gateway1.InsertResult.self)
    checkValue(bytes, Gateway1.RetrieveResult.self)
    checkValue(bytes, Gateway2.Insertion.self)
    checkValue(bytes, Gateway2.Retrieval.self)
    checkValue(bytes, Gateway2.InsertResult.self)
    checkValue(bytes, Gateway2.RetrieveResult.self)
}

private func checkValue<Value: XDRCodable & Equatable>(_ bytes: ByteBuffer, _: Value.Type) {
    guard let value = try? XDRReader.readAll(bytes, as: Value.self) else { return }
    guard let written = try? XDRWriter.bytes(of: value) else { fatalError("\(value) was read and cannot be written") }
    check((try? XDRReader.readAll(written, as: Value.self)) == value, "\(value) is another one when written and read")
    check(
        written.readableBytes <= bytes.readableBytes + 8, "\(bytes.readableBytes) bytes became \(written.readableBytes)"
    )
}
