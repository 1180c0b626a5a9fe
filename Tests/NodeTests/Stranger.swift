import CLinux
import ExampleFleet
import Glibc
import IrisLogFleet
import NIOCore
import Testing
import VersionKitModel
import VersionKitReleases
import VersionKitSockets
import VersionKitTestbed
import VersionKitWire

/// A host without versiond that speaks to nodes as a peer's router would, or as none would.
struct Stranger {
    /// IrisLog's peer port.
    static let peerPort: UInt16 = 7100

    let host: TestbedHost

    /// Sends bytes to a node's peer port, and returns what is answered: all of it after an end of our own, or the
    /// first piece if we stay.
    func exchange(_ bytes: [UInt8], with node: FleetNode, stays: Bool = false) throws -> [UInt8] {
        let socket = try host.socket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        defer { close(socket) }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let address = try #require(IPAddress(node.member.address))
        try #require(connectSocket(socket, to: Endpoint(address: address, port: Self.peerPort)))
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if !stays { shutdown(socket, Int32(SHUT_WR)) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return answer }
            answer += buffer[..<count]
            if stays { return answer }
        }
    }

    /// Shows a node that this host runs a version of IrisLog.
    func show(_ version: Version, to node: FleetNode) throws {
        let application = try #require(ApplicationID(rawValue: "irislog"))
        let header = VersionHeader(application: application, sender: version).encoded()
        _ = try exchange(Array(header.readableBytesView) + Array("ASK 0 1+1\n".utf8), with: node)
    }

    /// A message of this host to a node about what serves here, made `age` milliseconds ago.
    func message(_ serving: Set<Version>, to node: FleetNode, age: Int64 = 0) throws -> FleetMessage {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FleetMessage(
            application: try #require(ApplicationID(rawValue: "irislog")), news: .serving(serving),
            sender: try #require(IPAddress(host.address)), receiver: try #require(IPAddress(node.member.address)),
            stamp: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000 - age,
            nonce: (0..<FleetMessage.nonceBytes).map { _ in .random(in: .min ... .max) })
    }

    /// Sends a line over a control connection; the answer without its end.
    func tell(_ line: String, to node: FleetNode) throws -> String {
        let application = try #require(ApplicationID(rawValue: "irislog"))
        let header = VersionHeader(application: application, sender: nil, flags: .control).encoded()
        let answer = try exchange(Array(header.readableBytesView) + Array("\(line)\n".utf8), with: node)
        return String(decoding: answer.dropLast(), as: UTF8.self)
    }
}
