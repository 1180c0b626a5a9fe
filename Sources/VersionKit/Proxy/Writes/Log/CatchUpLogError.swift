/// Why the bytes of a catch-up log are none.
///
/// A log that merely ends in the middle of a record is no error: whoever wrote it was killed, and nobody was told yet
/// that the record is there.
public struct CatchUpLogError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault; new kinds may come, so this is not an enumeration.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// The file does not begin as a log of this format.
        public static let foreign = Code(description: "not a log of this format")
        /// Bytes are not those that were written.
        public static let damaged = Code(description: "damaged")
        /// A record is longer than ``Limits/catchUpRecordBytesMax``.
        public static let tooLong = Code(description: "a record is too long")
        /// A record is whole, and says nothing that this program understands.
        public static let unknown = Code(description: "a record of an unknown kind")
    }

    /// The kind of fault.
    public var code: Code
    /// Where the record begins, in bytes from the beginning of the file.
    public var offset: Int

    /// An error.
    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    public var description: String { "\(code) at byte \(offset)" }
}
