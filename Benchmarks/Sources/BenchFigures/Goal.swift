/// A question to the observations, and the answer that we want.
package struct Goal: Sendable {
    /// What the figure has to be.
    package enum Criterion: Sendable, Hashable {
        case atMost(Double)
        case atLeast(Double)
        case below(Double)
        /// Told, not judged.
        case none
    }

    /// The number of the measure that answers it, as in `--only`.
    package var measure: Int
    package var title: String
    package var criterion: Criterion
    package var unit: String
    /// Digits behind the point.
    package var digits: Int
    /// The program whose figure it is; without it nobody is told why there is none.
    package var peer: String?
    /// The figure; nothing when it was not measured.
    package var figure: @Sendable (Observations) -> Double?

    /// The row of the table, with the reason if there can be no figure.
    package func row(_ observations: Observations, unavailable: Unavailable = Unavailable()) -> ReportRow {
        let reason = peer.flatMap { unavailable[measure, $0] }.map { "not available: \($0)" }
        // Figures of the rounds before it failed prove nothing.
        let value = reason == nil ? figure(observations) : nil
        return ReportRow(
            measure: "\(measure). \(title)", goal: criterionText,
            figure: value.map { $0.text(digits: digits) + unit } ?? reason ?? "not measured", value: value,
            isMet: isMet(value))
    }

    private var criterionText: String? {
        switch criterion {
        case .atMost(let limit): "at most \(limit.shortest)\(unit)"
        case .atLeast(let limit): "at least \(limit.shortest)\(unit)"
        case .below(let limit): "below \(limit.shortest)\(unit)"
        case .none: nil
        }
    }

    /// What could not be measured has not been met.
    private func isMet(_ value: Double?) -> Bool? {
        switch criterion {
        case .atMost(let limit): value.map { $0 <= limit } ?? false
        case .atLeast(let limit): value.map { $0 >= limit } ?? false
        case .below(let limit): value.map { $0 < limit } ?? false
        case .none: nil
        }
    }
}

extension Double {
    /// With so many digits behind the point.
    package func text(digits: Int) -> String {
        guard isFinite else { return "\(self)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (magnitude * scale).rounded()
        guard scaled < 1e15 else { return "\(self)" }
        let number = Int(scaled)
        let sign = self < 0 && number > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(number) }
        let fraction = String(number % Int(scale))
        return sign + "\(number / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// Without a point when it is a whole number.
    var shortest: String { self == rounded() ? text(digits: 0) : "\(self)" }
}
