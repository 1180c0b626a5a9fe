/// How long things took, of which percentiles are wanted. Holds a bounded number; what comes beyond is only counted.
package struct Samples: Sendable {
    private static let max = 1 << 22
    private var nanoseconds: [UInt32] = []
    /// How many there were, kept or not.
    package private(set) var count = 0

    package init() { nanoseconds.reserveCapacity(1 << 18) }

    /// Adds one; what takes longer than four seconds counts as four seconds.
    package mutating func add(_ duration: UInt64) {
        count += 1
        if nanoseconds.count < Self.max { nanoseconds.append(UInt32(clamping: duration)) }
    }

    /// Microseconds that this share of them, from 0 to 1, did not exceed; 0 without any.
    package func percentiles(_ shares: [Double]) -> [Double] {
        let sorted = nanoseconds.sorted()
        return shares.map { share in
            sorted.isEmpty ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000
        }
    }
}
