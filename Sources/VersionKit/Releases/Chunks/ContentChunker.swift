/// Where an archive is cut into chunks: at places that its bytes choose.
///
/// A byte that is inserted moves all that follows, and with cuts at fixed places every chunk behind it would be another
/// one. Here a cut is where a hash of the last 64 bytes has a certain form, so the cuts behind a change are at the bytes
/// where they were. This is FastCDC: a chunk has a least length within which no cut is looked for, and cuts come more
/// easily once the chunk has its average length, so that most chunks are near it.
///
/// - Important: Two releases share chunks only if both were cut by the same rule. The constants and the table are part of
///   the release format: never change them.
enum ContentChunker {
    /// The least bytes of a chunk, but for the last one.
    static let bytesMin = 16 << 10
    /// What most chunks are near to.
    static let bytesAverage = 64 << 10
    /// The most bytes of a chunk.
    static let bytesMax = 256 << 10

    /// A cut before the average length needs 18 bits of the hash to be zero, one behind it 14.
    private static let maskBefore: UInt64 = ~0 << (64 - 18)
    private static let maskBehind: UInt64 = ~0 << (64 - 14)

    /// A random number for each byte, the same everywhere: SplitMix64 from 0.
    private static let gear: [UInt64] = {
        var state: UInt64 = 0
        return (0..<256).map { _ in
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
            return value ^ (value >> 31)
        }
    }()

    /// The length of the chunk that begins with these bytes.
    ///
    /// - Precondition: They are at least ``bytesMax``, or all that is left.
    static func chunkLength(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count > bytesMin else { return bytes.count }
        return gear.withUnsafeBufferPointer { gear in
            let end = min(bytes.count, bytesMax)
            let average = min(end, bytesAverage)
            var hash: UInt64 = 0
            var index = bytesMin
            while index < average {
                hash = (hash &<< 1) &+ gear[Int(bytes[index])]
                index += 1
                if hash & maskBefore == 0 { return index }
            }
            while index < end {
                hash = (hash &<< 1) &+ gear[Int(bytes[index])]
                index += 1
                if hash & maskBehind == 0 { return index }
            }
            return end
        }
    }
}
