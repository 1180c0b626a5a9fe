import CFSFiles
import FuzzSupport
import NIOCore
import ONCRPC

/// Feeds the readers of CFS's file system blocks and signed blocks whatever libFuzzer thinks of.
///
/// What must hold, beyond not crashing:
/// 1. a block that is read is written, and read again as the same;
/// 2. every block of a file that an inode describes is on a way of its own layout, and no size leads behind it;
/// 3. what reads as a signed block proves nothing under another name, and is otherwise refused for its signature only.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    if let block = read(input, as: FileBlock.self) {
        checkAgain(block)
        if case .inode(let inode) = block { checkLayout(ofSize: inode.size) }
    }
    if let block = read(input, as: SignedBlock.self) {
        checkAgain(block)
        checkProof(input, block)
    }
    return 0
}

private func read<Value: XDRCodable>(_ bytes: ByteBuffer, as _: Value.Type) -> Value? {
    do throws(XDRError) {
        return try XDRReader.readAll(bytes)
    } catch {
        check(error.offset >= 0 && error.offset <= bytes.readableBytes, "\(error) of \(bytes.readableBytes) bytes")
        return nil
    }
}

private func checkAgain<Value: XDRCodable & Equatable>(_ value: Value) {
    do throws(XDRError) {
        let again = read(try XDRWriter.bytes(of: value), as: Value.self)
        check(again == value, "\(value) came back as \(String(describing: again))")
    } catch {
        check(false, "\(value) was read, and is not written: \(error)")
    }
}

private func checkLayout(ofSize size: UInt64) {
    guard let layout = FileLayout(blockSize: CFSFileLimits.blockSizes.lowerBound) else {
        return check(false, "the smallest blocks have no layout")
    }
    guard let count = layout.blockCount(ofSize: size) else {
        return check(size > layout.sizeMax, "a file of \(size) bytes has no blocks")
    }
    check(layout.byteCount(ofBlock: count, fileSize: size) == nil, "a block behind the end")
    guard count > 0 else { return }
    check(layout.way(toBlock: count - 1) != nil, "no way to the last block of \(size) bytes")
    check((1...layout.blockSize).contains(layout.byteCount(ofBlock: count - 1, fileSize: size) ?? 0), "an empty block")
}

private func checkProof(_ bytes: ByteBuffer, _ block: SignedBlock) {
    do throws(SignedBlockError) {
        _ = try SignedBlock(bytes, named: block.name.next)
        check(false, "believed under another name")
    } catch {
        check(error.code == .wrongKey, "\(error)")
    }
    do throws(SignedBlockError) {
        let right = try SignedBlock(bytes, named: block.name)
        check(right == block, "what is proven is another block")
    } catch {
        check(error.code == .badSignature, "\(error)")
    }
}
