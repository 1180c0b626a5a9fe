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

extension FileTime: CustomStringConvertible {
    /// The day and the second in UTC (RFC 3339): `2004-09-30T12:00:00Z`.
    public var description: String {
        let (year, month, day) = Self.date(ofDay: Int(seconds / 86_400))
        let parts = [year, month, day, Int(seconds / 3600 % 24), Int(seconds / 60 % 60), Int(seconds % 60)].map(
            Self.digits)
        return "\(parts[0])-\(parts[1])-\(parts[2])T\(parts[3]):\(parts[4]):\(parts[5])Z"
    }

    /// The second that ``description`` gives this for; nil if it gives it for none.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 else { return nil }
        func number(_ range: Range<Int>) -> Int { Int(String(decoding: bytes[range], as: UTF8.self)) ?? -1 }
        let day = Self.day(ofYear: number(0..<4), number(5..<7), number(8..<10))
        let second = day * 86_400 + number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
        guard let seconds = UInt32(exactly: second) else { return nil }
        self.init(seconds: seconds)
        // What is not a day, not an hour, not a digit reads as something else.
        guard description == text else { return nil }
    }

    private static func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Days are counted from the first of March on, so that the one that may be missing is the last of its year.
    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        var year = 1970 + day / 365
        while Self.day(ofYear: year, 3, 1) > day { year -= 1 }
        let rest = day - Self.day(ofYear: year, 3, 1)
        let month = (5 * rest + 2) / 153
        let inMonth = rest - (153 * month + 2) / 5 + 1
        return month < 10 ? (year, month + 3, inMonth) : (year + 1, month - 9, inMonth)
    }

    /// Days from the beginning of 1970 to this date of the Gregorian calendar.
    private static func day(ofYear year: Int, _ month: Int, _ day: Int) -> Int {
        let fromMarch = (month + 9) % 12
        let year = month < 3 ? year - 1 : year
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * fromMarch + 2) / 5 + day - 719_469
    }
}
