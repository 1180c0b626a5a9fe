import FuzzSupport
import VersionKit

/// Feeds the decoder of routers' messages whatever libFuzzer thinks of.
///
/// What must hold, beyond not crashing:
/// 1. a line that is a message is the only line of that message: it is written as it came;
/// 2. it is within the limits;
/// 3. no beginning of it is a message.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let line = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    guard let sealed = try? FleetMessage.decode(line) else { return 0 }
    check(sealed.message.line(code: sealed.code).utf8.elementsEqual(line.utf8), "written otherwise than it came")
    check(line.utf8.count <= FleetMessage.lineBytesMax, "a line of \(line.utf8.count) bytes")
    if case .serving(let versions) = sealed.message.news {
        check(versions.count <= FleetMessage.versionsMax, "\(versions.count) versions")
    }
    for length in 0..<line.utf8.count {
        let part = String(decoding: line.utf8.prefix(length), as: UTF8.self)
        check((try? FleetMessage.decode(part)) == nil, "\(length) bytes of it are a message")
    }
    return 0
}
