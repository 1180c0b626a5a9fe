import CLinux
import Glibc
import VersionKitModel
import VersionKitSockets

@testable import VersionKitTestbed

/// A socket on a host, with the few calls the tests need. Blocking, but never for more than ten seconds.
final class TestSocket: Sendable {
    let descriptor: Descriptor
    var number: Int32 { descriptor.number }

    init(_ descriptor: Descriptor) throws {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0 else {
                throw TestbedError.system("setsockopt")
            }
        }
    }

    convenience init(_ host: TestbedHost, _ type: __socket_type, _ family: IPAddress.Family = .v4) throws {
        try self.init(Descriptor(host.socket(domain: family.system, type: Int32(type.rawValue))))
    }

    private func check(_ result: Int32, _ attempt: String) throws {
        if result < 0 { throw TestbedError.system(attempt) }
    }

    func bind(_ port: UInt16, _ family: IPAddress.Family = .v4) throws {
        guard bindSocket(number, to: Endpoint(address: family.any, port: port)) else {
            throw TestbedError.system("bind")
        }
    }

    func listen() throws {
        try check(Glibc.listen(number, 8), "listen")
    }

    func accept() throws -> TestSocket {
        try TestSocket(Descriptor(checking: vk_accept4(number, 0), "accept"))
    }

    func connect(_ host: TestbedHost, _ port: UInt16, _ family: IPAddress.Family = .v4) throws {
        let address = host.addresses.compactMap { IPAddress($0) }.first { $0.family == family }
        guard let address, connectSocket(number, to: Endpoint(address: address, port: port)) else {
            throw TestbedError.system("connect")
        }
    }

    func sendAll(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(number, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { throw TestbedError.system("send") }
            sent += count
        }
    }

    /// At most `max` bytes; none at the end.
    func receive(_ max: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = recv(number, &buffer, max, 0)
        if count < 0 { throw TestbedError.system("recv") }
        return Array(buffer[..<count])
    }

    func endSending() {
        shutdown(number, Int32(SHUT_WR))
    }
}
