/// When the next round of stabilisation is due (CFS 2004, `stabilize_manager`).
///
/// A round that begins before the last one is over slows it down: somebody does not answer in time.
struct StabilizationClock: Sendable {
    private let times: StabilizationTimes
    private(set) var interval: Duration

    /// A second in 2004; less where the usual time is.
    private var step: Duration { min(.seconds(1), times.base / 8) }

    init(_ times: StabilizationTimes) {
        self.times = times
        interval = times.first
    }

    /// After a look at the neighbours: slowly towards the usual time, from both sides.
    mutating func advance(isBusy: Bool) {
        if isBusy {
            interval *= 2
        } else {
            if interval >= times.base { interval -= step }
            if interval < times.base / 2 { interval = interval * 6 / 5 }
        }
        interval = min(interval, times.longest)
    }

    /// After a look at lists and fingers: slower while nothing changes, faster when something does.
    mutating func advance(isBusy: Bool, isStable: Bool) {
        if isBusy {
            interval *= 2
        } else if isStable {
            interval = interval * 6 / 5
        } else if interval > times.base {
            interval -= step
        }
        interval = min(interval, times.longest)
    }

    /// Half of it less or more, by chance, so that nodes that began together do not stay together.
    func delay(using random: inout some RandomNumberGenerator) -> Duration {
        interval * Int64.random(in: 500...1500, using: &random) / 1000
    }
}
