import CFSModel
import NIOCore
import ONCRPC

/// The name of a block within another block: the 20 bytes of its hash (CFS 2004, `sfs_hash`). Twenty zeros name none.
struct BlockName: XDRCodable, Hashable {
    let id: ChordID?

    init(_ id: ChordID?) { self.id = id }

    init(from reader: inout XDRReader) throws(XDRError) {
        let bytes = try reader.readOpaque(count: ChordID.byteCount).readableBytesView
        // Twenty bytes are always an id.
        let id = ChordID(bigEndian: bytes)
        self.id = id == ChordID(0) ? nil : id
    }

    func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeOpaque(ByteBuffer(bytes: (id ?? ChordID(0)).bytes), count: ChordID.byteCount)
    }
}
