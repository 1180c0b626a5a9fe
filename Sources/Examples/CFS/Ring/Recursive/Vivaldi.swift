public import CFSModel

/// Where a node believes to be, so that round trips between nodes that never met can be estimated (Dabek, Cox, Kaashoek and
/// Morris: Vivaldi, SIGCOMM 2004, sections 2.6 and 5.4): two coordinates, and a height for the way that all messages of the node take.
public struct Vivaldi: Equatable, Sendable {
    /// In microseconds of round trip.
    private var x = 0.0
    private var y = 0.0
    private var height = lowest
    /// How wrong estimates are expected to be: a share of the round trip.
    private var error = 1.0
    private var isMeasured = false

    /// How much one sample counts at most, for the place and for the error.
    private static let pull = 0.25
    /// Nobody is nearer than that to the net.
    private static let lowest = 100.0
    /// Nobody believes to be farther away than that: half a minute.
    private static let farthest = 30_000_000.0
    /// What errors are multiplied by for others.
    public static let errorScale = 1000.0

    /// A node that measured nothing.
    public init() {}

    /// As others are told: places in microseconds, the error in thousandths, -1 if nothing was measured.
    public var coordinates: Coordinates {
        guard isMeasured else { return Coordinates() }
        return Coordinates(
            x: Int32(x), y: Int32(y), height: Int32(height), error: Int32(error * Self.errorScale))
    }

    /// Takes a round trip into account.
    ///
    /// - Parameters:
    ///   - roundTrip: Without the time that the other one needed to answer, and of a message that was sent once.
    ///   - other: Where that one believes to be. Who has measured nothing says nothing.
    public mutating func note(
        _ roundTrip: Duration, to other: Coordinates, using random: inout some RandomNumberGenerator
    ) {
        let measured = roundTrip / .microseconds(1)
        guard measured > 0, measured < Self.farthest else { return }
        guard other.error >= 0 else {
            // Somebody has to be the first: two that know nothing take the middle of nowhere for a beginning.
            isMeasured = true
            return
        }
        let (theirX, theirY) = (Self.bounded(Double(other.x)), Self.bounded(Double(other.y)))
        let theirHeight = min(max(Double(other.height), Self.lowest), Self.farthest)
        var (dx, dy) = (x - theirX, y - theirY)
        let plane = (dx * dx + dy * dy).squareRoot()
        let estimate = plane + height + theirHeight
        let theirError = min(max(Double(other.error) / Self.errorScale, 0.001), 1)
        let weight = error / (error + theirError)
        let sample = min(abs(estimate - measured) / measured, 2)
        error = min(max(sample * Self.pull * weight + error * (1 - Self.pull * weight), 0.001), 1)
        if plane < 1 {
            // At the same place: apart in any direction, all the way.
            (dx, dy) = (Double.random(in: -1...1, using: &random), Double.random(in: -1...1, using: &random))
            let length = max((dx * dx + dy * dy).squareRoot(), 0.001)
            (dx, dy) = (dx / length * estimate, dy / length * estimate)
        }
        // The force of a spring: along the plane and the heights, each by its share of the way.
        let force = Self.pull * weight * (measured - estimate) / estimate
        x = Self.bounded(x + force * dx)
        y = Self.bounded(y + force * dy)
        height = min(max(height + force * (height + theirHeight), Self.lowest), Self.farthest)
        isMeasured = true
    }

    /// Whether a node that measured something can be there.
    static func isPlace(_ coordinates: Coordinates) -> Bool {
        coordinates.error >= 0 && coordinates.height >= Int32(lowest)
            && [coordinates.x, coordinates.y, coordinates.height].allSatisfy { $0.magnitude <= UInt32(farthest) }
    }

    private static func bounded(_ value: Double) -> Double { min(max(value, -farthest), farthest) }
}
