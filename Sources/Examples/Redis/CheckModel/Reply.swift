/// What a Redis answers, as far as RESP 2 goes.
package indirect enum Reply: Sendable, Hashable {
    case simple(String)
    case error(String)
    case integer(Int)
    case bulk(String?)
    case array([Reply]?)

    package static let ok = Reply.simple("OK")
    package static let queued = Reply.simple("QUEUED")

    package var isError: Bool {
        if case .error = self { return true }
        return false
    }

    /// The texts of an array of texts.
    package var texts: [String]? {
        guard case .array(let elements?) = self else { return nil }
        var texts: [String] = []
        for element in elements {
            guard case .bulk(let text?) = element else { return nil }
            texts.append(text)
        }
        return texts
    }
}

extension Reply: CustomStringConvertible {
    package var description: String {
        switch self {
        case .simple(let text): "+\(text)"
        case .error(let text): "-\(text)"
        case .integer(let number): ":\(number)"
        case .bulk(let text): text.map { "\"\($0)\"" } ?? "nil"
        case .array(let elements): elements.map { "\($0)" } ?? "no array"
        }
    }
}
