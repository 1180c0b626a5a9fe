/// How one direction of a relayed connection is moved: read and written, or spliced through a pipe.
///
/// Splicing saves a stream its copies and costs a small message more system calls, so a direction goes by what it carried
/// last. A value; sizes are bytes.
package struct AdaptiveSplice: Sendable, Equatable {
    /// A read of this many bytes is a sign of a stream.
    package static let streamBytesMin = 16 << 10
    /// So many of them in a row are taken for one.
    package static let streamReadsMin: UInt8 = 2
    /// A splice of fewer bytes is a sign of messages.
    package static let messageBytesMax = 8 << 10
    /// So many of them in a row end the splicing.
    package static let messageSplicesMin: UInt8 = 4

    /// Whether the next bytes are to be spliced.
    package private(set) var isSplicing = false
    /// How many signs of the other kind came in a row.
    private var signs: UInt8 = 0

    /// A direction that has carried nothing: its bytes are read.
    package init() {}

    /// So many bytes came with one read or one splice.
    package mutating func moved(_ bytes: Int) {
        let isSign = isSplicing ? bytes < Self.messageBytesMax : bytes >= Self.streamBytesMin
        signs = isSign ? signs + 1 : 0
        guard signs >= (isSplicing ? Self.messageSplicesMin : Self.streamReadsMin) else { return }
        isSplicing.toggle()
        signs = 0
    }
}
