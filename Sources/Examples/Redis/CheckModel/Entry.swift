/// What a key holds, and whether it is to expire (far in the future).
package struct Entry: Sendable, Hashable {
    package enum Value: Sendable, Hashable {
        case text(String)
        case list([String])
        case hash([String: String])
        case set(Set<String>)
        /// Members with their scores.
        case sorted([String: Int])
    }

    package var value: Value
    package var expires = false

    package init(_ value: Value, expires: Bool = false) {
        self.value = value
        self.expires = expires
    }

    /// Redis has no empty collections: the key is gone with its last element.
    var orNothing: Entry? {
        switch value {
        case .text: self
        case .list(let list): list.isEmpty ? nil : self
        case .hash(let hash): hash.isEmpty ? nil : self
        case .set(let set): set.isEmpty ? nil : self
        case .sorted(let sorted): sorted.isEmpty ? nil : self
        }
    }
}

/// The types of keys that the client uses; a key stays with its type, whether it exists or not.
package enum Kind: String, Sendable, CaseIterable {
    case text, counter, list, hash, set, sorted
}
