/// What is made of samples.
package enum Statistics {
    /// The value in the middle; of an even number of values, the mean of the two in the middle.
    package static func median(_ values: some Sequence<Double>) -> Double? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
