/// A peer's configuration with names such as `@REDIS_PORT@` in it.
package enum Template {
    /// The text with every name replaced by its value; other signs stay, `"@type"` in Envoy's files.
    package static func fill(_ text: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let sign = rest.firstIndex(of: "@") {
            result += rest[..<sign]
            rest = rest[rest.index(after: sign)...]
            if let end = rest.firstIndex(of: "@"), let value = values[String(rest[..<end])] {
                result += value
                rest = rest[rest.index(after: end)...]
            } else {
                result += "@"
            }
        }
        return result + rest
    }
}
