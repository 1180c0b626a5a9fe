extension VersionHeader {
    /// The type of the extension that names a direct port.
    static let directPortType: UInt8 = 1

    /// A port of the sender's host that leads straight to its version, without its router's user space; `nil`: the sender
    /// has none, or the extension is not of a kind that this code understands.
    ///
    /// Only ever believed of the host that the header came from: it can lead nowhere else.
    ///
    /// - Note: DESIGN 6.
    public struct DirectPort: Sendable, Hashable {
        /// The port on the sender's host.
        public var number: UInt16
        /// For how many seconds it may be used without being heard of again.
        public var seconds: UInt16

        /// A direct port, for so many seconds.
        public init(_ number: UInt16, seconds: UInt16) {
            self.number = number
            self.seconds = seconds
        }
    }

    /// The sender's direct port for the registered port that this header travels by.
    public var directPort: DirectPort? {
        get {
            guard let value = extensions.first(where: { $0.type == Self.directPortType })?.value, value.count == 4
            else { return nil }
            let number = UInt16(value[0]) << 8 | UInt16(value[1])
            let seconds = UInt16(value[2]) << 8 | UInt16(value[3])
            guard number > 0, seconds > 0 else { return nil }
            return DirectPort(number, seconds: seconds)
        }
        set {
            extensions.removeAll { $0.type == Self.directPortType }
            guard let port = newValue else { return }
            let value = [port.number, port.seconds].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            extensions.append(Extension(type: Self.directPortType, value: value))
        }
    }
}
