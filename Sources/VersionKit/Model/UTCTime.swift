/// A second, as people write it in documents that are signed: `2027-03-31T12:00:00Z`.
///
/// From 1970 to the end of 9999, without leap seconds. There is one spelling for each second.
public struct UTCTime: Sendable, Hashable, Comparable {
    /// The last second that there is.
    public static let secondsMax: Int64 = 253_402_300_799

    /// Seconds since 1970.
    public let seconds: Int64

    /// The time so many seconds after the beginning of 1970; what is before or behind the calendar is its end.
    public init(seconds: Int64) { self.seconds = min(max(seconds, 0), Self.secondsMax) }

    public static func < (left: UTCTime, right: UTCTime) -> Bool { left.seconds < right.seconds }

    /// This time and so many seconds.
    public static func + (time: UTCTime, seconds: Int64) -> UTCTime {
        let (sum, isOver) = time.seconds.addingReportingOverflow(seconds)
        return UTCTime(seconds: isOver ? (seconds < 0 ? 0 : secondsMax) : sum)
    }
}

extension UTCTime: LosslessStringConvertible {
    /// The time written as `2027-03-31T12:00:00Z`, or `nil`.
    public init?(_ description: String) {
        let bytes = Array(description.utf8)
        guard bytes.count == 20 else { return nil }
        func number(_ range: Range<Int>) -> Int64 {
            bytes[range].reduce(0) { $0 * 10 + Int64($1) - Int64(UInt8(ascii: "0")) }
        }
        let days = Self.days(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        let seconds = days * 86_400 + number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
        self.init(seconds: seconds)
        // Whatever is no digit, no separator or no date is written otherwise.
        guard self.description == description else { return nil }
    }

    public var description: String {
        // Howard Hinnant's days from and to civil dates, with years that begin in March.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let second = seconds % 86_400
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
            + "\(Self.padded(second / 3600, 2)):\(Self.padded(second / 60 % 60, 2)):\(Self.padded(second % 60, 2))Z"
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension UTCTime: Codable {
    /// Reads the text form, refusing anything else.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = UTCTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a time is written as 2027-03-31T12:00:00Z")
        }
        self = time
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
