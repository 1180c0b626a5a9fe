import CLinux
import Glibc
import NIOCore
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed
import VersionKitWire

/// A router that hands one release to whoever asks, whatever it is worth, and remembers what it was asked for.
final class StrangeRouter: Sendable {
    /// A release as it goes over the wire.
    struct Offer: Sendable {
        var manifest: [UInt8]
        var signature: [UInt8]
        /// What is given for each layer, by the name that it is asked for with.
        var layers: [String: [UInt8]] = [:]
    }

    private final class Requests: Sendable {
        let lines = Mutex<[String]>([])
    }

    private let listener: Int32
    private let requests = Requests()

    /// The first words of what it was asked for.
    var asked: [String] { requests.lines.withLock { $0 } }

    init(on host: TestbedHost, port: UInt16, for application: ApplicationID, _ offer: Offer) throws {
        let header = VersionHeader(application: application, sender: nil, flags: .control).encoded()
        listener = try host.socket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        try #require(bindSocket(listener, to: Endpoint(address: IPAddress.Family.v4.any, port: port)))
        try #require(listen(listener, 8) == 0)
        let (listener, requests, headerBytes) = (listener, requests, header.readableBytes)
        SystemThread(name: "strange-router") {
            while case let socket = vk_accept4(listener, 0), socket >= 0 {
                SystemThread(name: "strange-talk") {
                    Self.converse(socket, headerBytes, offer, requests)
                    close(socket)
                }.start()
            }
            close(listener)
        }.start()
    }

    /// Ends the thread that accepts, which closes the socket.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func converse(_ socket: Int32, _ headerBytes: Int, _ offer: Offer, _ requests: Requests) {
        var unread: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard recv(socket, &buffer, headerBytes, Int32(MSG_WAITALL)) == headerBytes else { return }
        while case let count = recv(socket, &buffer, buffer.count, 0), count > 0 {
            unread += buffer.prefix(count)
            while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                let answer = answer(line, offer, requests)
                guard send(socket, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count else { return }
            }
        }
    }

    private static func answer(_ line: String, _ offer: Offer, _ requests: Requests) -> [UInt8] {
        for keyword in ["manifest", "layer", "chunks", "torrent", "peers"] where line.hasPrefix("\(keyword) ") {
            requests.lines.withLock { $0.append(keyword) }
            switch keyword {
            case "manifest":
                let head = "ok \(offer.manifest.count) \(offer.signature.count)\n"
                return Array(head.utf8) + offer.manifest + offer.signature
            case "layer":
                guard let layer = offer.layers.first(where: { line.contains($0.key) })?.value else { break }
                return Array("ok \(layer.count)\n".utf8) + layer
            default: break
            }
            return Array("error nothing like that\n".utf8)
        }
        return Array("error no request\n".utf8)
    }
}
