import Glibc

/// Prints a line at once, also where standard output is a file or a pipe.
package func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// A text with spaces, or something else, behind it, to this width.
package func pad(_ text: String, _ width: Int, with filler: String = " ") -> String {
    text + String(repeating: filler, count: max(0, width - text.count))
}

extension Double {
    /// With one decimal.
    package var tenths: String {
        let value = Int((self * 10).rounded())
        return "\(value / 10).\(value % 10)"
    }
}

extension Duration {
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
