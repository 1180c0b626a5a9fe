import Crypto

extension ChordID {
    /// The name of a block by its content: its SHA-1, read as a number.
    public init(hashing content: some Collection<UInt8>) {
        var hash = Insecure.SHA1()
        let whole: Void? = content.withContiguousStorageIfAvailable {
            hash.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if whole == nil { hash.update(data: Array(content)) }
        self = hash.finalize().withUnsafeBytes { digest in
            Self(
                high: digest.loadUnaligned(as: UInt32.self).bigEndian,
                middle: digest.loadUnaligned(fromByteOffset: 4, as: UInt64.self).bigEndian,
                low: digest.loadUnaligned(fromByteOffset: 12, as: UInt64.self).bigEndian)
        }
    }
}
