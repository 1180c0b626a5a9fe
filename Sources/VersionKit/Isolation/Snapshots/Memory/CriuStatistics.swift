import VersionKitReleases

/// For how long CRIU made processes stand still: in its file `stats-dump`, two magic numbers, a length, and a message of
/// protocol buffers.
enum CriuStatistics {
    private static let magicBytes = 8
    private static let lengthBytes = 4
    private static let bytesMax = 64 << 10

    /// The time by the file at this path; `nil` if it is not there or not understood.
    static func frozenTime(in path: String) -> Duration? {
        (try? Disk.readFile(path, bytesMax: bytesMax)).flatMap(frozenTime(inBytes:))
    }

    /// The time by the bytes of such a file.
    static func frozenTime(inBytes bytes: [UInt8]) -> Duration? {
        // Field 1 of the whole is what is told of a dump, and field 2 of that the time, in microseconds.
        guard case .bytes(let dump)? = field(1, of: bytes.dropFirst(magicBytes + lengthBytes)),
            case .number(let microseconds)? = field(2, of: dump), let time = Int64(exactly: microseconds)
        else { return nil }
        return .microseconds(time)
    }

    private enum Field {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    /// The first field of this number in a message, whose other fields may only be of the same two kinds.
    private static func field(_ wanted: UInt64, of message: ArraySlice<UInt8>) -> Field? {
        var rest = message
        while let key = number(from: &rest), let value = number(from: &rest) {
            switch key & 7 {
            case 0:
                if key >> 3 == wanted { return .number(value) }
            case 2:
                guard value <= rest.count else { return nil }
                if key >> 3 == wanted { return .bytes(rest.prefix(Int(value))) }
                rest = rest.dropFirst(Int(value))
            default:
                return nil
            }
        }
        return nil
    }

    /// Seven bits a byte, the lowest first.
    private static func number(from rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
