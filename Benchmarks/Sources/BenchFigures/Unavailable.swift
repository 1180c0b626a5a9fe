/// Why programs could not be measured: the first reason of each.
package struct Unavailable: Sendable, Hashable {
    private struct Key: Hashable {
        var measure: Int?
        var peer: String
    }

    private var reasons: [Key: String] = [:]

    package init() {}

    /// Whether there is no reason for anything.
    package var isEmpty: Bool { reasons.isEmpty }

    /// Notes that a program could not be measured, in one measure or (`nil`) at all.
    package mutating func add(_ peer: String, measure: Int? = nil, _ reason: String) {
        let key = Key(measure: measure, peer: peer)
        if reasons[key] == nil { reasons[key] = reason }
    }

    package subscript(measure: Int, peer: String) -> String? {
        reasons[Key(measure: nil, peer: peer)] ?? reasons[Key(measure: measure, peer: peer)]
    }
}
