import VersionKitRouter

/// A direct port that was given out, on disk: a versiond that was killed and starts again gives every version the number by
/// which peers know it.
struct GivenPort: Codable {
    var key: DirectPorts.Key
    var number: UInt16

    static func numbers(_ entries: [GivenPort]) -> [DirectPorts.Key: UInt16] {
        Dictionary(entries.map { ($0.key, $0.number) }, uniquingKeysWith: { first, _ in first })
    }

    static func list(_ numbers: [DirectPorts.Key: UInt16]) -> [GivenPort] {
        numbers.map { GivenPort(key: $0.key, number: $0.value) }.sorted { $0.number < $1.number }
    }
}
