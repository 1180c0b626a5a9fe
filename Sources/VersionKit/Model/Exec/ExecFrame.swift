/// What is said in a conversation with a command that runs in an environment: `exec` of docs/exec.md.
///
/// On the wire: a byte with the kind, the number of bytes that follow as 32 bits, the highest first, and those.
public enum ExecFrame: Sendable, Hashable {
    /// To the command: what it reads from standard input. Nothing: there is no more of it.
    case input([UInt8])
    /// To the command: its terminal has another size.
    case window(TerminalSize)
    /// To the command, and what it has started in its group: a signal.
    case signal(Int32)
    /// From the command: what it printed, on a terminal both kinds.
    case output([UInt8])
    /// From the command: what it printed to standard error.
    case error([UInt8])
    /// From the command, at last: its exit code, 128 plus a signal's number as shells have it.
    case exit(Int32)

    /// The most that a frame holds, in bytes. Whoever has more sends several.
    public static let bytesMax = 32 << 10
    static let headerBytes = 5

    /// The frame on the wire.
    public var bytes: [UInt8] {
        let (kind, body): (UInt8, [UInt8]) =
            switch self {
            case .input(let bytes): (0, bytes)
            case .window(let size): (1, Self.bytes(UInt32(size.rows) << 16 | UInt32(size.columns)))
            case .signal(let number): (2, Self.bytes(UInt32(bitPattern: number)))
            case .output(let bytes): (3, bytes)
            case .error(let bytes): (4, bytes)
            case .exit(let code): (5, Self.bytes(UInt32(bitPattern: code)))
            }
        precondition(body.count <= Self.bytesMax, "a frame of \(body.count) bytes")
        return [kind] + Self.bytes(UInt32(body.count)) + body
    }

    /// A frame of this kind; `nil` if there is no such.
    init?(kind: UInt8, body: [UInt8]) {
        let number = body.count == 4 ? body.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } : nil
        switch (kind, number) {
        case (0, _): self = .input(body)
        case (1, let number?):
            self = .window(TerminalSize(rows: UInt16(number >> 16), columns: UInt16(number & 0xFFFF)))
        case (2, let number?): self = .signal(Int32(bitPattern: number))
        case (3, _): self = .output(body)
        case (4, _): self = .error(body)
        case (5, let number?): self = .exit(Int32(bitPattern: number))
        default: return nil
        }
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
    }
}

/// Takes what comes over a socket apart into frames.
public struct ExecFrameReader: Sendable {
    /// What came is not frames: the other side is something else, or a version that this one does not know.
    public struct Violation: Error, Sendable, Hashable {
        /// A violation.
        public init() {}
    }

    private var pending: [UInt8] = []

    /// A reader of nothing yet.
    public init() {}

    /// Takes bytes over.
    public mutating func append(_ bytes: some Sequence<UInt8>) { pending += bytes }

    /// The next frame; `nil` if it has not come as a whole.
    ///
    /// - Throws: if what came is no frame. Nothing of use comes after that.
    public mutating func next() throws(Violation) -> ExecFrame? {
        guard pending.count >= ExecFrame.headerBytes else { return nil }
        let count = pending[1..<ExecFrame.headerBytes].reduce(0) { $0 << 8 | Int($1) }
        // Before it is waited for: nobody can make this grow.
        guard count <= ExecFrame.bytesMax else { throw Violation() }
        let end = ExecFrame.headerBytes + count
        guard pending.count >= end else { return nil }
        guard let frame = ExecFrame(kind: pending[0], body: Array(pending[ExecFrame.headerBytes..<end])) else {
            throw Violation()
        }
        pending.removeSubrange(..<end)
        return frame
    }
}
