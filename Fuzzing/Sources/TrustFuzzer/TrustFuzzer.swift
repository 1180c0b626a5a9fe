import FuzzSupport
import VersionKitReleases

/// Feeds the readers of roots and channels whatever libFuzzer thinks of.
///
/// What must hold, beyond not crashing:
/// 1. what is read is written again as it came: there is one spelling;
/// 2. no beginning of it is a document, nor is it with something behind it;
/// 3. nothing counts that no pinned key signed.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    if let root = examine(bytes, TrustRoot.self) {
        check(
            (1...root.content.keys.count).contains(root.content.threshold), "a threshold of \(root.content.threshold)")
    }
    if let channel = examine(bytes, ReleaseChannel.self) {
        check(
            channel.content.releases.count <= ReleaseChannel.releasesMax, "\(channel.content.releases.count) releases")
    }
    return 0
}

private func examine<Content: TrustDocument>(_ bytes: [UInt8], _: Content.Type) -> SignedDocument<Content>? {
    guard let document = try? SignedDocument<Content>(bytes: bytes) else { return nil }
    check(document.bytes == bytes, "written otherwise than it came")
    check(bytes.count <= Content.bytesMax, "\(bytes.count) bytes")
    check((try? SignedDocument<Content>(bytes: bytes.dropLast())) == nil, "a part of it is a document")
    check((try? SignedDocument<Content>(bytes: bytes + [10])) == nil, "it may have something behind it")
    return document
}
