import BenchPrograms
import Glibc

/// Finds ports that nobody uses.
struct Ports {
    private var given: Set<UInt16> = []
    /// Below the range that the kernel takes for outgoing connections: there, thousands of clients could take a port
    /// while its server restarts, or a client that tries to reach the server could be connected to itself.
    private let range: ClosedRange<UInt16>

    init() {
        let words = File.text("/proc/sys/net/ipv4/ip_local_port_range").split(whereSeparator: \.isWhitespace)
        let first = words.first.flatMap { UInt16($0) } ?? 32768
        range = first > 21_000 ? 20_000...first - 1 : 20_000...65_000
    }

    /// A port that is free now, and was not given before.
    mutating func next() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: range)
            if !given.contains(port), Self.isFree(port) {
                given.insert(port)
                return port
            }
        }
        throw BenchError("no port of 127.0.0.1 from \(range.lowerBound) to \(range.upperBound) is free")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return Loopback.withAddress(port) { bind(descriptor, $0, $1) } == 0
    }
}

/// Addresses of this machine.
enum Loopback {
    static func withAddress<Result>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
