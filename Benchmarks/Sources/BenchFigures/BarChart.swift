import Foundation

/// Groups of bars on a logarithmic scale, as a picture in SVG.
package struct BarChart: Sendable {
    /// Bars beside each other, one for each series; `nil`: there is none.
    package struct Group: Sendable {
        package var name: String
        package var values: [Double?]

        package init(name: String, values: [Double?]) {
            self.name = name
            self.values = values
        }
    }

    package var title: String
    package var groups: [Group]
    package var series: [String]

    package init(title: String, groups: [Group], series: [String]) {
        self.title = title
        self.groups = groups
        self.series = series
    }

    private static let colours = [
        "#4c78a8", "#f58518", "#e45756", "#72b7b2", "#54a24b", "#eeca3b", "#b279a2", "#9d755d",
    ]
    private static let left = 60.0
    private static let top = 40.0
    private static let height = 320.0
    private static let bar = 12.0
    private static let gap = 24.0
    private static let nameWidth = 100.0
    private static let line = 18.0
    private static let legend = 210.0

    /// Those series of which there is anything.
    private var shown: [Int] {
        series.indices.filter { index in
            groups.contains { index < $0.values.count && positive($0.values[index]) != nil }
        }
    }

    /// The powers of ten below the lowest value and above the highest.
    var decades: ClosedRange<Int> {
        let values = groups.flatMap(\.values).compactMap(positive)
        let low = Self.decade(values.min() ?? 1)
        let high = Self.decade(values.max() ?? 1)
        return low...(high + 1)
    }

    /// The picture.
    package var svg: String {
        let shown = shown
        let used = groups.filter { group in shown.contains { positive(group.values[$0]) != nil } }
        let groupWidth = max(Double(shown.count) * Self.bar + Self.gap, Self.nameWidth)
        let plotWidth = Double(used.count) * groupWidth
        let width = Self.left + plotWidth + Self.legend
        let bottom = Self.top + Self.height
        var parts = [SVG.text(title, x: Self.left, y: 20, "font-size=\"14\"")]
        for decade in decades {
            let y = position(of: power(decade))
            parts.append(SVG.line(from: Self.left, to: Self.left + plotWidth, y: y))
            parts.append(SVG.text("\(power(decade))", x: Self.left - 6, y: y + 4, "text-anchor=\"end\""))
        }
        for (index, group) in used.enumerated() {
            let start = Self.left + Double(index) * groupWidth + (groupWidth - Double(shown.count) * Self.bar) / 2
            for (place, series) in shown.enumerated() {
                guard let value = positive(group.values[series]) else { continue }
                let y = position(of: value)
                parts.append(
                    SVG.rectangle(
                        x: start + Double(place) * Self.bar, y: y, width: Self.bar - 1, height: bottom - y,
                        colour(series)))
            }
            parts.append(
                SVG.text(
                    group.name, x: start + Double(shown.count) * Self.bar / 2, y: bottom + 18, "text-anchor=\"middle\"")
            )
        }
        for (row, series) in shown.enumerated() {
            let y = Self.top + Double(row) * Self.line
            let x = Self.left + plotWidth + 16
            parts.append(SVG.rectangle(x: x, y: y, width: 10, height: 10, colour(series)))
            parts.append(SVG.text(self.series[series], x: x + 16, y: y + 9))
        }
        return SVG.picture(width: width, height: bottom + 40, parts)
    }

    /// From the top.
    func position(of value: Double) -> Double {
        let share = (log10(value) - Double(decades.lowerBound)) / Double(decades.count - 1)
        return Self.top + Self.height * (1 - min(max(share, 0), 1))
    }

    private func positive(_ value: Double?) -> Double? { value.flatMap { $0 > 0 && $0.isFinite ? $0 : nil } }

    private func colour(_ series: Int) -> String { Self.colours[series % Self.colours.count] }

    private func power(_ exponent: Int) -> Double {
        (0..<abs(exponent)).reduce(1.0) { value, _ in exponent < 0 ? value / 10 : value * 10 }
    }

    private static func decade(_ value: Double) -> Int { Int(log10(value).rounded(.down)) }
}
