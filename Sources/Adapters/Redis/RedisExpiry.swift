import VersionKit

/// Commands that say for how long a key is to live.
enum CommandExpiry: String, Sendable { case set, getex, setex, psetex, expire, pexpire, restore }

/// A time to live that counts from when a version gets the request would end at different times: each is made a time
/// of day, which all versions have in common. What is not a number stays, for the server to complain about.
extension RespRequest {
    mutating func makeExpiryAbsolute(_ now: Int64) {
        guard let expiry = commandNumber.flatMap({ CommandRoles.all[$0].expiry }) else { return }
        switch expiry {
        case .set, .getex:
            // Neither a key nor a value can stand here: options begin behind them.
            let first = expiry == .set ? 3 : 2
            guard count > first, let place = index(of: "ex", from: first) ?? index(of: "px", from: first),
                let time = time(place + 1, isSeconds: matches(place, "ex"), now)
            else { return }
            rewrite { $0.replaceSubrange(place...place + 1, with: ["PXAT".respWord, time]) }
        case .setex, .psetex:
            guard let time = time(2, isSeconds: expiry == .setex, now) else { return }
            rewrite { $0 = ["SET".respWord, $0[1], $0[3], "PXAT".respWord, time] }
        case .expire, .pexpire:
            guard let time = time(2, isSeconds: expiry == .expire, now, least: .min) else { return }
            rewrite { $0.replaceSubrange(0...2, with: ["PEXPIREAT".respWord, $0[1], time]) }
        case .restore:
            guard index(of: "absttl", from: 4) == nil, let time = time(2, isSeconds: false, now) else { return }
            rewrite { $0 = [$0[0], $0[1], time] + $0[3...] + ["ABSTTL".respWord] }
        }
    }

    /// The time that a word means, or `nil` if a server would refuse it.
    private func time(_ index: Int, isSeconds: Bool, _ now: Int64, least: Int64 = 1) -> ByteBuffer? {
        guard let number = integer(index), number >= least else { return nil }
        let (span, isTooLong) = number.multipliedReportingOverflow(by: isSeconds ? 1000 : 1)
        let (time, isTooLate) = span.addingReportingOverflow(now)
        return isTooLong || isTooLate ? nil : time.respWord
    }
}
