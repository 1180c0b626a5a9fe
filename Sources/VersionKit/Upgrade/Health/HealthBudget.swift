/// How many health checks of a version that runs may fail in a row before it has failed itself.
public struct HealthBudget: Sendable, Hashable {
    /// So many are too many.
    public let failuresMax: Int
    /// How many failed since the last success.
    public private(set) var failures = 0

    /// A budget of which nothing is used.
    ///
    /// - Precondition: it is not 0.
    public init(failuresMax: Int) {
        precondition(failuresMax > 0, "a version may fail its first check")
        self.failuresMax = failuresMax
    }

    /// What came of one more check.
    ///
    /// - Parameter failure: what was wrong; `nil`: nothing.
    /// - Returns: why the version has failed, once the budget is used up; it begins anew then.
    public mutating func observe(_ failure: String?) -> String? {
        guard let failure else {
            failures = 0
            return nil
        }
        failures += 1
        guard failures >= failuresMax else { return nil }
        defer { failures = 0 }
        return "it failed \(failuresMax) health checks in a row: \(failure)"
    }
}
