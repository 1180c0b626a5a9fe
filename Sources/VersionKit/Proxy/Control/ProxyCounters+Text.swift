import VersionKitModel

/// Counters as one line of text: `requests=12 needed-1=3 lag-2=0`.
extension ProxyCounters {
    private typealias PerVersion = WritableKeyPath<ProxyCounters, [Version: UInt64]>
    private typealias Reasons = WritableKeyPath<ProxyCounters, [Version: String]>

    /// The numbers that there are one of for each version.
    private static var perVersion: [(name: String, path: PerVersion)] {
        [
            ("needed", \.needed), ("lag", \.writes.lag), ("queued", \.writes.queued), ("bytes", \.writes.queuedBytes),
            ("examined", \.writes.examined),
            ("copied", \.writes.copied), ("diverged", \.writes.diverged),
            ("unkept", \.writes.unkept), ("logged", \.writes.logged), ("loggedBytes", \.writes.loggedBytes),
            ("settled", \.writes.settled),
        ]
    }

    /// The reasons that there are for some versions.
    private static var reasons: [(name: String, path: Reasons)] {
        [("trouble", \.writes.trouble), ("disk", \.writes.disk), ("unreplayable", \.writes.unreplayable)]
    }

    /// The line.
    public var fields: String {
        var fields = [
            "requests=\(requests)", "failed=\(failed)", "connections=\(connections)", "refused=\(refused)",
        ]
        for (name, path) in Self.perVersion {
            for (version, value) in self[keyPath: path].sorted(by: { $0.key < $1.key }) {
                fields.append("\(name)-\(version)=\(value)")
            }
        }
        for (name, path) in Self.reasons {
            for (version, reason) in self[keyPath: path].sorted(by: { $0.key < $1.key }) {
                fields.append(
                    "\(name)-\(version)=\(reason.map { $0 == " " || $0 == "=" ? "_" : $0 }.map(String.init).joined())")
            }
        }
        return fields.joined(separator: " ")
    }

    /// The counters of a line, or `nil` if it is none.
    init?(fields: [Substring]) {
        self.init()
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, read(parts[0], parts[1]) else { return nil }
        }
    }

    private mutating func read(_ name: Substring, _ value: Substring) -> Bool {
        let words = name.split(separator: "-", maxSplits: 1)
        if words.count == 2, let version = Version(String(words[1])) {
            if let path = Self.reasons.first(where: { $0.name == words[0] })?.path {
                self[keyPath: path][version] = String(value.map { $0 == "_" ? " " : $0 })
                return true
            }
            guard let path = Self.perVersion.first(where: { $0.name == words[0] })?.path, let number = UInt64(value)
            else { return false }
            self[keyPath: path][version] = number
            return true
        }
        guard let number = UInt64(value) else { return false }
        switch name {
        case "requests": requests = number
        case "failed": failed = number
        case "connections": connections = number
        case "refused": refused = number
        default: return false
        }
        return true
    }
}
