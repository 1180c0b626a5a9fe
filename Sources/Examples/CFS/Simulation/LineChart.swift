/// Lines over numbers, as a picture in SVG: what the simulations' figures are drawn with.
public struct LineChart: Sendable {
    /// One line.
    public struct Line: Sendable {
        /// What it shows.
        public var name: String
        /// From left to right.
        public var points: [(x: Double, y: Double)]

        /// A line.
        public init(name: String, points: [(x: Double, y: Double)]) { (self.name, self.points) = (name, points) }
    }

    /// What all of it shows.
    public var title: String
    /// What is told from left to right, and from below.
    public var xName, yName: String
    /// The lines.
    public var lines: [Line]
    /// Whether each number of `x` that occurs has the same width, as for 100, 300, 1000.
    public var isByRank = false

    /// A chart.
    public init(title: String, xName: String, yName: String, lines: [Line], isByRank: Bool = false) {
        self.title = title
        self.xName = xName
        self.yName = yName
        self.lines = lines
        self.isByRank = isByRank
    }

    private static let colours = ["#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2"]
    private static let (left, top, width, height) = (60.0, 50.0, 420.0, 280.0)
    private static let ticks = 5

    /// The picture.
    public var svg: String {
        let values = Set(lines.flatMap { $0.points.map(\.x) }).sorted()
        let (low, high) = (values.first ?? 0, values.last ?? 1)
        let highest = Self.roundedUp(lines.flatMap { $0.points.map(\.y) }.max() ?? 1)
        func x(_ value: Double) -> Double {
            let share =
                isByRank
                ? Double(values.firstIndex(of: value) ?? 0) / Double(max(1, values.count - 1))
                : (value - low) / max(high - low, .leastNormalMagnitude)
            return Self.left + share * Self.width
        }
        func y(_ value: Double) -> Double { Self.top + Self.height * (1 - value / highest) }
        let bottom = Self.top + Self.height
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 390\" font-family=\"sans-serif\" font-size=\"11\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            Self.text(title, x: Self.left, y: 20, "font-size=\"14\""), Self.text(yName, x: 10, y: Self.top - 12),
            Self.text(xName, x: Self.left + Self.width / 2, y: bottom + 40, "text-anchor=\"middle\""),
        ]
        for tick in 0...Self.ticks {
            let value = highest * Double(tick) / Double(Self.ticks)
            parts.append(
                "<line x1=\"\(Self.left)\" x2=\"\(Self.left + Self.width)\" y1=\"\(Self.number(y(value)))\" "
                    + "y2=\"\(Self.number(y(value)))\" stroke=\"#ccc\"/>")
            parts.append(
                Self.text(Self.number(value, digits: 3), x: Self.left - 6, y: y(value) + 4, "text-anchor=\"end\""))
        }
        let names =
            isByRank || values.count <= 8
            ? values : (0...Self.ticks).map { low + (high - low) * Double($0) / Double(Self.ticks) }
        for value in names {
            let place =
                isByRank ? x(value) : Self.left + (value - low) / max(high - low, .leastNormalMagnitude) * Self.width
            parts.append(Self.text(Self.number(value, digits: 2), x: place, y: bottom + 18, "text-anchor=\"middle\""))
        }
        for (index, line) in lines.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let points = line.points.map { "\(Self.number(x($0.x))),\(Self.number(y($0.y)))" }
            parts.append(
                "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
            )
            let row = Self.top + Double(index) * 18
            let place = Self.left + Self.width + 16
            parts.append("<rect x=\"\(place)\" y=\"\(row)\" width=\"10\" height=\"10\" fill=\"\(colour)\"/>")
            parts.append(Self.text(line.name, x: place + 16, y: row + 9))
        }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// 1, 2 or 5 with zeros, no lower than a value.
    static func roundedUp(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var decade = 1.0
        while decade < value { decade *= 10 }
        while decade / 10 >= value { decade /= 10 }
        return [decade / 5, decade / 2].first { $0 >= value } ?? decade
    }

    private static func text(_ words: String, x: Double, y: Double, _ attributes: String = "") -> String {
        let escaped = words.map { ["&": "&amp;", "<": "&lt;", ">": "&gt;"][$0] ?? String($0) }.joined()
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" \(attributes)>\(escaped)</text>"
    }

    /// Without digits that say nothing.
    static func number(_ value: Double, digits: Int = 1) -> String {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }
}
