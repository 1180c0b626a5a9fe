public import IrisLogCore
public import NIOCore

/// Cuts a stream of bytes into lines.
public struct LineDecoder: Sendable {
    private var received = ByteBuffer()

    /// Creates a decoder at the start of a stream.
    public init() {}

    /// Takes what arrived.
    public mutating func append(_ bytes: ByteBuffer) {
        received.writeImmutableBuffer(bytes)
    }

    /// The next line without its line feed; nil if it is not complete yet.
    public mutating func next() throws(IrisLogError) -> String? {
        try Self.next(&received)
    }

    /// Whether what arrived of an unfinished line can still become one with one of these beginnings.
    func canStart(with beginnings: [String]) -> Bool {
        beginnings.contains { beginning in
            zip(received.readableBytesView, beginning.utf8).allSatisfy { $0 == $1 }
        }
    }

    /// The next line of a buffer, which it leaves.
    static func next(_ bytes: inout ByteBuffer) throws(IrisLogError) -> String? {
        let view = bytes.readableBytesView.prefix(Limits.lineBytes + 1)
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else {
            guard view.count <= Limits.lineBytes else { throw IrisLogError(.limit, "line too long") }
            return nil
        }
        let line = Array(view[..<end])
        bytes.moveReaderIndex(forwardBy: line.count + 1)
        if bytes.readableBytes == 0 { bytes.clear(minimumCapacity: 0) }
        guard let text = String(validating: line, as: UTF8.self) else { throw IrisLogError(.syntax, "not UTF-8") }
        return text
    }
}
