/// The `key=value` words of a command line, each taken once.
struct LoadWords {
    private static let bytesMax = 65_507
    private var values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    /// Whether no word is left that nobody knows.
    var isEmpty: Bool { values.isEmpty }

    mutating func take(_ key: String) -> String? { values.removeValue(forKey: key) }

    mutating func count(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        take(key).flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
    }

    mutating func seconds() -> Double? {
        take("seconds").flatMap { Double($0) }.flatMap { $0 > 0 && $0 <= 3600 ? $0 : nil }
    }

    mutating func ports(_ key: String) -> [UInt16]? {
        guard let text = take(key) else { return nil }
        let words = text.split(separator: ",")
        let ports = words.compactMap { UInt16($0) }
        return ports.count == words.count && ports.count <= 64 ? ports : nil
    }

    mutating func ping() -> LoadOrder? {
        guard let bytes = count("bytes", 1...1 << 20), let connections = count("connections", 1...60_000),
            let seconds = seconds()
        else { return nil }
        return .ping(bytes: bytes, connections: connections, seconds: seconds)
    }

    mutating func datagrams() -> LoadOrder? {
        guard let bytes = count("bytes", 4...Self.bytesMax), let window = count("window", 1...4096),
            let seconds = seconds()
        else { return nil }
        return .datagrams(bytes: bytes, window: window, seconds: seconds)
    }

    mutating func sequence() -> LoadOrder? {
        guard let bytes = count("bytes", 12...Self.bytesMax), let rate = count("rate", 1...1_000_000),
            let seconds = seconds(), Double(rate) * seconds <= 10_000_000
        else { return nil }
        return .sequence(bytes: bytes, perSecond: rate, seconds: seconds)
    }

    mutating func hold() -> LoadOrder? {
        guard let connections = count("connections", 1...60_000), let addresses = count("addresses", 1...60_000)
        else { return nil }
        return .hold(connections: connections, addresses: addresses)
    }
}
