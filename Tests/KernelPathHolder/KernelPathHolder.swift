import Glibc
import VersionKitKernel
import VersionKitModel

/// Holds a fast path with one open port and one route, for TCP and for UDP, until it is killed. For the test that
/// nothing is left of it then, and for measurements.
///
/// Arguments: host, wire, version, its interface, peer, registered port, direct port here, direct port there.
@main
enum Holder {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 9, let host = IPAddress(arguments[1]), let version = IPAddress(arguments[3]),
            let peer = IPAddress(arguments[5]), let port = UInt16(arguments[6]), let here = UInt16(arguments[7]),
            let there = UInt16(arguments[8])
        else { exit(64) }
        if let error = BPFPath.probe() {
            print(error.isUnsupported ? "unsupported: \(error)" : "failed: \(error)")
            exit(EXIT_FAILURE)
        }
        let path = try BPFPath(host: HostAddresses(host), wire: arguments[2])
        for port in [TransportPort.tcp(port), .udp(port)] {
            try path.open(DirectPort(here, for: port, of: version), interface: arguments[4])
            try path.learn(DirectRoute(from: version, to: peer, port: port), to: there)
        }
        print("holding")
        fflush(nil)
        withExtendedLifetime(path) { while true { pause() } }
    }
}
