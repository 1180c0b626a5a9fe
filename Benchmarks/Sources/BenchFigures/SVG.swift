/// The few elements of SVG that charts are made of.
enum SVG {
    static func picture(width: Double, height: Double, _ parts: [String]) -> String {
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
            + "font-family=\"sans-serif\" font-size=\"11\">"
        let background = "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
        return ([head, background] + parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    static func rectangle(x: Double, y: Double, width: Double, height: Double, _ colour: String) -> String {
        "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" "
            + "fill=\"\(colour)\"/>"
    }

    static func line(from left: Double, to right: Double, y: Double) -> String {
        "<line x1=\"\(number(left))\" x2=\"\(number(right))\" y1=\"\(number(y))\" y2=\"\(number(y))\" stroke=\"#ccc\"/>"
    }

    static func text(_ words: String, x: Double, y: Double, _ attributes: String = "") -> String {
        let escaped = words.map { ["&": "&amp;", "<": "&lt;", ">": "&gt;"][$0] ?? String($0) }.joined()
        return
            "<text x=\"\(number(x))\" y=\"\(number(y))\"\(attributes.isEmpty ? "" : " ")\(attributes)>\(escaped)</text>"
    }

    private static func number(_ value: Double) -> String { value.text(digits: 1) }
}
