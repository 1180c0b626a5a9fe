import FuzzSupport
import NFS3
import NIOCore
import ONCRPC

/// Feeds the readers of NFS's and MOUNT's messages whatever libFuzzer thinks of. The first byte chooses the message.
///
/// What must hold, beyond not crashing:
/// 1. what is read is written again as it came: XDR has one form for each value;
/// 2. an error is at a byte that there is.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.readInteger(as: UInt8.self) else { return 0 }
    readers[Int(choice) % readers.count](input)
    return 0
}

private let readers: [@Sendable (ByteBuffer) -> Void] = [
    reader(NFS.getAttributes), reader(NFS.setAttributes), reader(NFS.lookUp), reader(NFS.access), reader(NFS.readLink),
    reader(NFS.read), reader(NFS.write), reader(NFS.create), reader(NFS.makeDirectory), reader(NFS.makeLink),
    reader(NFS.makeNode), reader(NFS.remove), reader(NFS.rename), reader(NFS.link), reader(NFS.readDirectory),
    reader(NFS.readDirectoryPlus), reader(NFS.room), reader(NFS.abilities), reader(NFS.pathLimits), reader(NFS.commit),
    reader(Mount.mount), reader(Mount.dump), reader(Mount.exports),
]

/// Reads a procedure's arguments and its results.
private func reader<Arguments, Results>(
    _: RPCProcedure<Arguments, Results>
) -> @Sendable (ByteBuffer) -> Void {
    { bytes in
        checkAgain(bytes, Arguments.self)
        checkAgain(bytes, Results.self)
    }
}

private func checkAgain<Value: XDRCodable>(_ bytes: ByteBuffer, _: Value.Type) {
    let value: Value
    do throws(XDRError) { value = try XDRReader.readAll(bytes) } catch {
        return check(
            error.offset >= 0 && error.offset <= bytes.readableBytes, "\(error) of \(bytes.readableBytes) bytes")
    }
    do throws(XDRError) {
        let again = try XDRWriter.bytes(of: value)
        check(again == bytes, "\(value) is written as \(again), and came as \(bytes)")
    } catch {
        check(false, "\(value) was read, and is not written: \(error)")
    }
}
