import CLinux
import DocumentationSamples
import Glibc
import Synchronization
import VersionKit
import VersionKitProcesses
import VersionKitSockets

/// A service whose versions answer every line with their number, by TCP and by UDP, and its proxy: for tests on real hosts.
/// Lines with `set` are writes. A version that was told `fail` by TCP does none any more.
///
///     ports-service serve VERSION PORT
///     ports-service                       the proxy, started by versiond
@main
enum PortsService {
    /// Bytes of a line.
    private static let lineMax = 2048
    private static let isFull = Atomic(false)

    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 4, words[1] == "serve", let port = UInt16(words[3]) else {
            var limits = Limits.standard
            // No test waits a minute until a version counts as one that keeps failing.
            limits.catchUpTimeout = .seconds(1)
            return try await ProxyProcess.run(EchoAdapter(), limits: limits)
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
        var buffer = [UInt8](repeating: 0, count: lineMax)
        var unread: [UInt8] = []
        while unread.count <= lineMax {
            let count = read(socket, &buffer, buffer.count)
            guard count > 0 else { break }
            unread += buffer.prefix(count)
            var replies = ""
            while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                replies += answer(unread[..<end], name) + "\n"
                unread.removeSubrange(...end)
            }
            guard replies.isEmpty || write(socket, replies, replies.utf8.count) > 0 else { break }
        }
        close(socket)
    }

    private static func answer(_ line: ArraySlice<UInt8>, _ name: String) -> String {
        if line.elementsEqual("fail".utf8) { isFull.store(true, ordering: .relaxed) }
        let isWrite = line.starts(with: "set ".utf8)
        return isWrite && isFull.load(ordering: .relaxed) ? "error no room" : name
    }

    private static func answerDatagrams(_ socket: Int32, _ name: String) {
        var buffer = [UInt8](repeating: 0, count: lineMax)
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
