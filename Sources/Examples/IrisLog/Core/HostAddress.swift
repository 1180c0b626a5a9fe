/// A server's address as the hierarchy names it: `ADDRESS` or `ADDRESS:PEERPORT`.
public struct HostAddress: Equatable, Sendable {
    /// The address without a port.
    public let address: String
    /// The port, if the text names one.
    public let port: Int?

    /// Reads the text; nil if it is neither form.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, Name.isValid(String(parts[0])) else { return nil }
        address = String(parts[0])
        if parts.count == 2 {
            guard let port = Int(parts[1]), (1...65535).contains(port) else { return nil }
            self.port = port
        } else {
            port = nil
        }
    }
}
