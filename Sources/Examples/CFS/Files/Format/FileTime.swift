public import ONCRPC

/// When a file changed (RFC 1813, `nfstime3`): since the beginning of 1970, UTC.
public struct FileTime: XDRCodable, Hashable {
    /// Whole seconds.
    public var seconds: UInt32
    /// Nanoseconds on top.
    public var nanoseconds: UInt32

    /// A time.
    public init(seconds: UInt32, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Reads both numbers.
    public init(from reader: inout XDRReader) throws(XDRError) {
        seconds = try reader.read()
        nanoseconds = try reader.read()
    }

    /// Writes both numbers.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(seconds)
        try writer.write(nanoseconds)
    }
}
