import CFSRing
import ONCRPC

extension NodeConfiguration {
    /// Has nodes look after ring and blocks so many times as often as in 2004, and wait so much shorter: for few nodes close to
    /// each other.
    public mutating func quicken(by factor: Int) {
        guard factor > 1 else { return }
        patience.firstTime = max(patience.firstTime / factor, min(patience.firstTime, .milliseconds(100)))
        chord.continuous.quicken(by: factor)
        chord.backoff.quicken(by: factor)
        chord.checkDead /= factor
        chord.checkDeadLongest /= factor
        chord.deadAtLeast /= factor
        chord.retry /= factor
        dhash.retryPause /= factor
        dhash.replicaTimer /= factor
        dhash.wholeBlockTimer /= factor
        dhash.wholeBlockTrust /= factor
        dhash.misplacedTimer /= factor
        dhash.expiryTimer /= factor
    }
}

extension StabilizationTimes {
    fileprivate mutating func quicken(by factor: Int) {
        first /= factor
        base /= factor
        longest /= factor
    }
}
