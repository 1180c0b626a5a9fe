public import VersionKitModel

/// Which ports of this host lead straight to which version.
///
/// Peers use a route to such a port for a while without asking again. So a version gets the same number whenever it runs,
/// and a number that was given back is not another version's before peers have forgotten it: or bytes of one version
/// would reach another.
///
/// - Note: DESIGN 6.
public struct DirectPorts: Sendable {
    /// What a number stands for.
    public struct Key: Sendable, Hashable, Codable {
        /// The application.
        public var application: ApplicationID
        /// Its version.
        public var version: Version
        /// The registered port.
        public var port: TransportPort

        /// A version's registered port.
        public init(_ application: ApplicationID, _ version: Version, _ port: TransportPort) {
            self.application = application
            self.version = version
            self.port = port
        }
    }

    /// The numbers that may be given out: outside the range from which the kernel takes ports for sockets that did not
    /// ask for one, or an answer to such a socket would be taken for a version's.
    public let range: ClosedRange<UInt16>
    /// How long a number rests after it was given back: at least as long as peers may use a route to it.
    public let rest: Duration
    /// The numbers in use.
    public private(set) var numbers: [Key: UInt16]
    private var resting: [Key: (number: UInt16, until: Duration)] = [:]
    private var taken: Set<UInt16>
    private var next: UInt16

    /// The numbers of an earlier run count as in use until ``keep(_:at:)`` says otherwise.
    public init(range: ClosedRange<UInt16>, rest: Duration, numbers: [Key: UInt16] = [:]) {
        self.range = range
        self.rest = rest
        self.numbers = numbers.filter { range.contains($0.value) }
        taken = Set(self.numbers.values)
        next = range.lowerBound
    }

    /// The number of a version's port, given to it now if it has none.
    ///
    /// - Parameter reserved: numbers that applications use themselves.
    /// - Returns: `nil` when all are in use or at rest; the version is then reached by the slow path.
    public mutating func number(for key: Key, avoiding reserved: Set<UInt16>, at now: Duration) -> UInt16? {
        if let known = numbers[key] { return known }
        for (key, rest) in resting where rest.until <= now {
            taken.remove(rest.number)
            resting[key] = nil
        }
        if let rested = resting.removeValue(forKey: key) {
            numbers[key] = rested.number
            return rested.number
        }
        for _ in range {
            let candidate = next
            next = candidate == range.upperBound ? range.lowerBound : candidate + 1
            guard !reserved.contains(candidate), taken.insert(candidate).inserted else { continue }
            numbers[key] = candidate
            return candidate
        }
        return nil
    }

    /// The numbers in use and at rest: what another run has to know of.
    public var known: [Key: UInt16] { numbers.merging(resting.mapValues(\.number)) { used, _ in used } }

    /// Gives back the numbers that are not wanted any more.
    public mutating func keep(_ wanted: Set<Key>, at now: Duration) {
        for (key, number) in numbers where !wanted.contains(key) {
            numbers[key] = nil
            resting[key] = (number, now + rest)
        }
    }
}
