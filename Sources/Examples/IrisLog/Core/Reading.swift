/// One measured value of one node.
public struct Reading: Equatable, Sendable {
    /// What was measured.
    public let sensor: String
    /// Unique for the sensor of a node.
    public let sequence: UInt64
    /// Milliseconds since 1970.
    public let at: UInt64
    /// The value as text.
    public let value: String

    /// Checks everything that is stored: the database must always be readable as XML again.
    public init(sensor: String, sequence: UInt64, at: UInt64, value: String) throws(IrisLogError) {
        guard Name.isValid(sensor) else { throw IrisLogError(.syntax, "not a sensor's name") }
        guard value.utf8.count <= Limits.valueBytes else { throw IrisLogError(.limit, "value too long") }
        guard value.unicodeScalars.allSatisfy(Self.isStorable) else {
            throw IrisLogError(.syntax, "a value has no control characters")
        }
        self.sensor = sensor
        self.sequence = sequence
        self.at = at
        self.value = value
    }

    /// XML 1.0 has no way to write the other characters.
    private static func isStorable(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\t" || scalar == "\n" || (scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF)
    }

    /// At least as many bytes as it has as XML: tags, numbers, and the letters that are escaped at their longest.
    var xmlBytes: Int {
        value.utf8.reduce(128 + sensor.utf8.count) { $0 + (Self.isEscaped($1) ? 5 : 1) }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "&") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
    }

    /// Whether this one is the current reading rather than the other.
    func isNewer(than at: UInt64, _ sequence: UInt64) -> Bool {
        (self.at, self.sequence) > (at, sequence)
    }
}
