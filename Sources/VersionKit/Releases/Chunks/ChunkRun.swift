/// Chunks that follow each other in a layer's file: what one request asks for.
public struct ChunkRun: Sendable, Equatable {
    /// The chunks, at least one, without gaps.
    public private(set) var chunks: [ChunkList.Chunk]

    /// Where they begin in the file.
    public var offset: UInt64 { chunks[0].offset }
    /// The bytes of all of them.
    public var length: UInt64 { chunks[chunks.count - 1].range.upperBound - offset }

    /// The runs of some chunks of one layer, in their order.
    ///
    /// - Parameter bytesMax: how long a run may become; a single chunk may be longer.
    public static func runs(of chunks: [ChunkList.Chunk], bytesMax: UInt64) -> [ChunkRun] {
        var runs: [ChunkRun] = []
        for chunk in chunks {
            if let last = runs.last, last.offset + last.length == chunk.offset,
                last.length + UInt64(chunk.length) <= bytesMax
            {
                runs[runs.count - 1].chunks.append(chunk)
            } else {
                runs.append(ChunkRun(chunks: [chunk]))
            }
        }
        return runs
    }
}
