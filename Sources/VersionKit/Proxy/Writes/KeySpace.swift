public import NIOCore

/// Keys that are told apart by a number besides their names: of a database, a table, a bucket.
extension ByteBuffer {
    /// The key with this name in a space.
    public init(key name: ByteBuffer, in space: UInt16) {
        self = ByteBufferAllocator().buffer(capacity: 2 + name.readableBytes)
        writeInteger(space)
        writeImmutableBuffer(name)
    }

    /// The space of such a key, and its name in it; `nil`: it is none.
    public var spaceAndName: (space: UInt16, name: ByteBuffer)? {
        var name = self
        return name.readInteger(as: UInt16.self).map { ($0, name) }
    }
}

extension KeyMark {
    /// The mark of the key with this name in a space.
    public init(key name: UnsafeRawBufferPointer, in space: UInt16) {
        self.init()
        combine(CollectionOfOne(UInt8(truncatingIfNeeded: space >> 8)))
        combine(CollectionOfOne(UInt8(truncatingIfNeeded: space)))
        combine(name)
    }
}
