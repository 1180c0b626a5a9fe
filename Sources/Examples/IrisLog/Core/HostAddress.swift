/// A server's address as the hierarchy names it: `ADDRESS` or `ADDRESS:PEERPORT`, one of IPv6 in brackets.
public struct HostAddress: Equatable, Sendable {
    /// The address without a port and without brackets.
    public let address: String
    /// The port, if the text names one.
    public let port: Int?

    /// Reads the text; nil if it is neither form.
    public init?(_ text: String) {
        let rest: Substring
        if text.first == "[", let end = text.firstIndex(of: "]") {
            address = String(text[..<end].dropFirst())
            guard address.contains(":"), address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return nil
            }
            rest = text[end...].dropFirst()
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            address = String(text[..<end])
            guard Name.isValid(address) else { return nil }
            rest = text[end...]
        }
        guard !rest.isEmpty else {
            port = nil
            return
        }
        guard rest.first == ":", let port = Int(rest.dropFirst()), (1...65535).contains(port) else { return nil }
        self.port = port
    }
}
