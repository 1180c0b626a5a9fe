public import IrisLogCore

/// A line of a client of version 1.
public enum ClientRequest1: Equatable, Sendable {
    /// `QUERY <xpath>`
    case query(String)
    /// `UPDATE <idpath> <sensor> <sequence> <at> <value>`
    case update(IDPath, Reading)
    /// `EXPORT`
    case export
    /// `PING`
    case ping

    /// Reads a line.
    public init(line: String) throws(IrisLogError) {
        let (verb, rest) = line.split(atFirst: " ")
        switch (verb, rest) {
        case ("QUERY", let xpath?): self = .query(xpath)
        case ("UPDATE", let rest?): self = try Self.update(rest)
        case ("EXPORT", nil): self = .export
        case ("PING", nil): self = .ping
        default: throw IrisLogError(.syntax, "unknown request")
        }
    }

    /// The line, without its line feed.
    public var line: String {
        switch self {
        case .query(let xpath): "QUERY \(xpath)"
        case .update(let path, let reading):
            "UPDATE \(path.xpath) \(reading.sensor) \(reading.sequence) \(reading.at) \(reading.value)"
        case .export: "EXPORT"
        case .ping: "PING"
        }
    }

    private static func update(_ text: String) throws(IrisLogError) -> ClientRequest1 {
        let words = text.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 5, let path = IDPath(xpath: words[0]), let sequence = UInt64(words[2]),
            let at = UInt64(words[3])
        else { throw IrisLogError(.syntax, "expected path, sensor, sequence, time and value") }
        return .update(path, try Reading(sensor: words[1], sequence: sequence, at: at, value: words[4]))
    }
}

/// A line of another server of version 1.
public enum PeerRequest1: Equatable, Sendable {
    /// How every request begins; whatever else comes is not a server of this version.
    static let beginnings = ["ASK ", "GATHER "]

    /// `ASK <hops> <xpath>`
    case ask(hops: Int, xpath: String)
    /// `GATHER <hops> <idpath>`
    case gather(hops: Int, path: IDPath)

    /// Reads a line.
    public init(line: String) throws(IrisLogError) {
        let (verb, rest) = line.split(atFirst: " ")
        guard let (number, text) = rest?.split(atFirst: " "), let text, let hops = UInt8(number) else {
            throw IrisLogError(.syntax, "unknown request")
        }
        switch verb {
        case "ASK": self = .ask(hops: Int(hops), xpath: text)
        case "GATHER":
            guard let path = IDPath(xpath: text) else { throw IrisLogError(.syntax, "not an id path") }
            self = .gather(hops: Int(hops), path: path)
        default: throw IrisLogError(.syntax, "unknown request")
        }
    }

    /// The line, without its line feed.
    public var line: String {
        switch self {
        case .ask(let hops, let xpath): "ASK \(hops) \(xpath)"
        case .gather(let hops, let path): "GATHER \(hops) \(path.xpath)"
        }
    }
}

extension String {
    /// What is before the separator, and what is behind it, if there is one.
    func split(atFirst separator: Character) -> (String, String?) {
        guard let index = firstIndex(of: separator) else { return (self, nil) }
        return (String(self[..<index]), String(self[self.index(after: index)...]))
    }
}
