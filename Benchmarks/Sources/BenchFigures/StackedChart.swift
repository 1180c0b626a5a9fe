/// Bars that are stacks of values, as a picture in SVG: panels beside each other, each with a scale of its own.
package struct StackedChart: Sendable {
    /// One bar, from below.
    package struct Bar: Sendable {
        package var name: String
        package var values: [Double]

        package init(name: String, values: [Double]) { (self.name, self.values) = (name, values) }

        var height: Double { values.reduce(0, +) }
    }

    /// Bars with one scale.
    package struct Panel: Sendable {
        package var name: String
        package var bars: [Bar]

        package init(name: String, bars: [Bar]) { (self.name, self.bars) = (name, bars) }
    }

    package var title: String
    package var panels: [Panel]
    package var series: [String]

    package init(title: String, panels: [Panel], series: [String]) {
        self.title = title
        self.panels = panels
        self.series = series
    }

    private static let colours = [
        "#4c78a8", "#f58518", "#e45756", "#72b7b2", "#54a24b", "#eeca3b", "#b279a2", "#9d755d", "#bab0ac",
    ]
    private static let left = 50.0
    private static let top = 60.0
    private static let height = 320.0
    private static let bar = 24.0
    private static let gap = 12.0
    private static let panelWidthMin = 240.0
    private static let line = 18.0
    private static let legend = 150.0
    private static let ticks = 5

    /// The top of a panel's scale: 1, 2 or 5 with zeros, no lower than its highest bar.
    static func limit(of panel: Panel) -> Double {
        let highest = panel.bars.map(\.height).max() ?? 0
        guard highest > 0, highest.isFinite else { return 1 }
        var decade = 1.0
        while decade < highest { decade *= 10 }
        while decade / 10 >= highest { decade /= 10 }
        return [decade / 5, decade / 2].first { $0 >= highest } ?? decade
    }

    /// The picture.
    package var svg: String {
        let bottom = Self.top + Self.height
        var parts: [String] = []
        var x = Self.left
        for panel in panels where !panel.bars.isEmpty {
            let width = max(Double(panel.bars.count) * (Self.bar + Self.gap) + Self.gap, Self.panelWidthMin)
            parts += draw(panel, at: x, width: width)
            x += width + Self.left
        }
        for (row, series) in series.enumerated() {
            let y = Self.top + Double(row) * Self.line
            parts.append(SVG.rectangle(x: x, y: y, width: 10, height: 10, colour(row)))
            parts.append(SVG.text(series, x: x + 16, y: y + 9))
        }
        parts.insert(SVG.text(title, x: Self.left, y: 20, "font-size=\"14\""), at: 0)
        return SVG.picture(width: x + Self.legend, height: bottom + 40, parts)
    }

    private func draw(_ panel: Panel, at x: Double, width: Double) -> [String] {
        let bottom = Self.top + Self.height
        let scale = Self.height / Self.limit(of: panel)
        var parts = [SVG.text(panel.name, x: x, y: Self.top - 14)]
        for tick in 0...Self.ticks {
            let value = Self.limit(of: panel) * Double(tick) / Double(Self.ticks)
            let y = bottom - value * scale
            parts.append(SVG.line(from: x, to: x + width, y: y))
            parts.append(SVG.text(value.text(digits: value < 10 ? 1 : 0), x: x - 6, y: y + 4, "text-anchor=\"end\""))
        }
        for (index, bar) in panel.bars.enumerated() {
            let start = x + Self.gap + Double(index) * (Self.bar + Self.gap)
            var y = bottom
            for (place, value) in bar.values.enumerated() where value > 0 {
                y -= value * scale
                parts.append(SVG.rectangle(x: start, y: y, width: Self.bar, height: value * scale, colour(place)))
            }
            parts.append(SVG.text(bar.name, x: start + Self.bar / 2, y: bottom + 18, "text-anchor=\"middle\""))
        }
        return parts
    }

    private func colour(_ series: Int) -> String { Self.colours[series % Self.colours.count] }
}
