import VersionKit

/// A time to live that counts from when a version gets the request would end at different times: each is made a time
/// of day, which all versions have in common. What is not a number stays, for the server to complain about.
extension RedisRequest {
    mutating func makeExpiryAbsolute(_ milliseconds: Int64) {
        switch command?.expiry {
        case nil: break
        case .options:
            // Neither a key nor a value can stand here: options begin behind them.
            let first = matches(0, "set") ? 3 : 2
            guard let place = index(of: "ex", from: first) ?? index(of: "px", from: first),
                let time = time(place + 1, matches(place, "ex") ? 1000 : 1, milliseconds)
            else { break }
            rewrite { $0.replaceSubrange(place...place + 1, with: [ByteBuffer(string: "PXAT"), time]) }
        case .second:
            let isExpire = matches(0, "expire") || matches(0, "pexpire")
            let isSeconds = matches(0, "expire") || matches(0, "setex")
            guard let time = time(2, isSeconds ? 1000 : 1, milliseconds, isExpire ? .min : 1) else { break }
            rewrite { words in
                words =
                    isExpire
                    ? [ByteBuffer(string: "PEXPIREAT"), words[1], time] + words[3...]
                    : [ByteBuffer(string: "SET"), words[1], words[3], ByteBuffer(string: "PXAT"), time]
            }
        case .restore:
            guard index(of: "absttl", from: 4) == nil, let time = time(2, 1, milliseconds) else { break }
            rewrite { $0 = [$0[0], $0[1], time] + $0[3...] + [ByteBuffer(string: "ABSTTL")] }
        }
    }

    /// The time that an argument means, or `nil` if a server would refuse it.
    private func time(_ index: Int, _ unit: Int64, _ now: Int64, _ least: Int64 = 1) -> ByteBuffer? {
        guard let number = integer(index), number >= least else { return nil }
        let (span, isTooLong) = number.multipliedReportingOverflow(by: unit)
        let (time, isTooLate) = span.addingReportingOverflow(now)
        return isTooLong || isTooLate ? nil : ByteBuffer(string: String(time))
    }
}
