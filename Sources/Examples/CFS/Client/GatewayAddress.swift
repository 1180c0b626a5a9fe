public import ONCRPCSockets

extension RPCAddress {
    /// Where a gateway of CFS 2004 was if nobody said otherwise (`lsd -S`).
    public static let standardGateway = RPCAddress.unix(path: "/tmp/chord-sock")

    /// An address as people write it: a path with a slash, or `unix:` and a path; `HOST:PORT`, IPv6 in brackets; nil if it is
    /// neither.
    public init?(_ text: String) {
        let unix = "unix:"
        if text.hasPrefix(unix) || text.contains("/") {
            let path = text.hasPrefix(unix) ? String(text.dropFirst(unix.count)) : text
            // `sun_path` has 108 bytes, a zero included.
            guard (1...107).contains(path.utf8.count) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .tcp(host: String(host), port: Int(port))
    }
}
