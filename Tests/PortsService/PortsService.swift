import CLinux
import DocumentationSamples
import Glibc
import VersionKit
import VersionKitProcesses
import VersionKitSockets

/// A service whose versions answer every line with their number, by TCP and by UDP, and its proxy: for the test of
/// clients' ports on real hosts.
///
///     ports-service serve VERSION PORT
///     ports-service                       the proxy, started by versiond
@main
enum PortsService {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 4, words[1] == "serve", let port = UInt16(words[3]) else {
            return try await ProxyProcess.run(EchoAdapter())
        }
        signal(SIGPIPE, SIG_IGN)
        let name = words[2]
        for family in IPAddress.Family.allCases {
            let listener = try bound(.stream, family, port)
            guard listen(listener, 64) == 0 else { throw SystemError("listen") }
            SystemThread(name: "accept") { accept(listener, name) }.start()
            let datagrams = try bound(.datagrams, family, port)
            SystemThread(name: "datagrams") { answerDatagrams(datagrams, name) }.start()
        }
        // Until it is ended.
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }

    private static func accept(_ listener: Int32, _ name: String) {
        while true {
            let socket = vk_accept4(listener, 0)
            guard socket >= 0 else { continue }
            SystemThread(name: "client") { answerLines(socket, name) }.start()
        }
    }

    private static func bound(
        _ kind: SocketKind, _ family: IPAddress.Family, _ port: UInt16
    ) throws(SystemError) -> Int32 {
        let descriptor = try openSocket(family, kind)
        guard bindSocket(descriptor, to: Endpoint(address: family.any, port: port)) else {
            throw SystemError("bind port \(port)")
        }
        return descriptor
    }

    private static func answerLines(_ socket: Int32, _ name: String) {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count > 0 else { break }
            let reply = String(repeating: name + "\n", count: buffer.prefix(count).count { $0 == UInt8(ascii: "\n") })
            guard write(socket, reply, reply.utf8.count) > 0 else { break }
        }
        close(socket)
    }

    private static func answerDatagrams(_ socket: Int32, _ name: String) {
        var buffer = [UInt8](repeating: 0, count: 2048)
        var address = sockaddr_storage()
        let reply = name + "\n"
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    guard recvfrom(socket, &buffer, buffer.count, 0, peer, &length) >= 0 else { return }
                    _ = sendto(socket, reply, reply.utf8.count, 0, peer, length)
                }
            }
        }
    }
}
