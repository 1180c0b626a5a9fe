import FuzzSupport
import VersionKit
import VersionKitReleases

/// Feeds what reads layers whatever libFuzzer thinks of: the first byte says which of them, a list of chunks, an archive, or
/// a compressed one.
///
/// What must hold, beyond not crashing: a list that is read is written as it came, has no gaps, and is within its limits; and
/// a layer that comes byte by byte is taken or refused as one that comes at once.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let kind = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch kind % 3 {
    case 0: checkList(bytes)
    case 1: checkLayer(bytes, unpackedSize: nil)
    default:
        guard bytes.count > 2 else { return 0 }
        checkLayer(Array(bytes.dropFirst(2)), unpackedSize: (UInt64(bytes[0]) << 8 | UInt64(bytes[1])) * 16)
    }
    return 0
}

private func checkList(_ bytes: [UInt8]) {
    guard let digest = Digest(bytes: [UInt8](repeating: 7, count: 32)) else { return }
    // The size that the list would have to have, so that it is not refused for that alone.
    var size: UInt64 = 0
    for offset in stride(from: 12, through: bytes.count - 36, by: 36) {
        size += bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let layer = ReleaseManifest.Layer(
        digest: digest, size: size, mediaType: ReleaseManifest.Layer.zstd, unpackedSize: 1 << 20)
    guard let list = try? ChunkList(bytes, of: layer) else { return }
    check(list.encoded == bytes, "written otherwise than it came")
    check(bytes.count <= ChunkList.bytesMax(layer), "\(bytes.count) bytes")
    var end: UInt64 = 0
    for chunk in list.chunks {
        check(chunk.offset == end && (1...ChunkList.chunkBytesMax).contains(chunk.length), "\(chunk)")
        end = chunk.range.upperBound
    }
    check(end == size && list.fileBytes == size, "\(end) bytes instead of \(size)")
}

private func checkLayer(_ bytes: [UInt8], unpackedSize: UInt64?) {
    let whole = scan(bytes, step: max(1, bytes.count), unpackedSize)
    check(scan(bytes, step: 1, unpackedSize) == whole, "another verdict byte by byte")
    if let whole { check(whole.hasSuffix(" \(bytes.count)"), "\(whole) for \(bytes.count) bytes") }
}

/// What a layer is; `nil`: it was refused.
private func scan(_ bytes: [UInt8], step: Int, _ unpackedSize: UInt64?) -> String? {
    do {
        var scanner = try LayerScanner(name: "layer", unpackedSize: unpackedSize)
        for start in stride(from: 0, to: bytes.count, by: step) {
            try bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { try scanner.feed($0) }
        }
        let found = try scanner.finish()
        return "\(found.digest) \(found.size)"
    } catch {
        return nil
    }
}
