import Glibc
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A peer that claims to have everything, remembers what it was asked for, and sends what a test wants.
final class ScriptedSeed: Sendable {
    /// What is sent for so many bytes of a piece from a place on.
    typealias Answer = @Sendable (_ piece: Int, _ offset: Int, _ count: Int) -> [UInt8]

    let endpoint: Endpoint
    private let listener: Int32
    private let requests: Requests

    /// One that sends nothing but zeros.
    static func lying(pieces: Int) throws -> ScriptedSeed {
        try ScriptedSeed(pieces: pieces) { _, _, count in [UInt8](repeating: 0, count: count) }
    }

    /// - Parameter pieces: how many the torrent has.
    init(pieces: Int, answer: @escaping Answer) throws {
        let requests = Requests()
        self.requests = requests
        let loopback = IPAddress.Family.v4.loopback
        listener = try openSocket(.v4, .stream, blocks: true)
        try #require(bindSocket(listener, to: Endpoint(address: loopback, port: 0)))
        try #require(listen(listener, 8) == 0)
        endpoint = Endpoint(address: loopback, port: try #require(localEndpoint(of: listener)).port)
        let listener = listener
        SystemThread(name: "seed") {
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                SystemThread(name: "seed") {
                    Conversation(socket: socket).serve(pieces, requests, answer)
                    close(socket)
                }.start()
            }
        }.start()
    }

    /// The pieces that it was asked for, in the order in which it was asked for the first byte of each.
    var pieces: [Int] { requests.pieces.withLock { $0 } }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

private final class Requests: Sendable {
    let pieces = Mutex<[Int]>([])

    func note(_ piece: Int) {
        pieces.withLock { if !$0.contains(piece) { $0.append(piece) } }
    }
}

private struct Conversation {
    let socket: Int32

    func serve(_ pieces: Int, _ requests: Requests, _ answer: ScriptedSeed.Answer) {
        // Its own handshake is the other's with another name: so it knows the torrent.
        guard var handshake = receive(68) else { return }
        handshake.replaceSubrange(20..<28, with: [UInt8](repeating: 0, count: 8))
        handshake.replaceSubrange(48..<68, with: Array("-SEED-".utf8) + [UInt8](repeating: 7, count: 14))
        send(handshake)
        var everything = [UInt8](repeating: 0, count: (pieces + 7) / 8)
        for piece in 0..<pieces { everything[piece / 8] |= 0x80 >> UInt8(piece % 8) }
        send(message(5, everything))
        send(message(1, []))
        while let head = receive(4) {
            guard let body = receive(number(head)) else { return }
            guard body.first == 6, body.count == 13 else { continue }
            let (piece, offset) = (number(Array(body[1..<5])), number(Array(body[5..<9])))
            requests.note(piece)
            send(message(7, Array(body[1..<9]) + answer(piece, offset, number(Array(body[9..<13])))))
        }
    }

    private func message(_ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
        let count = body.count + 1
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + [kind] + body
    }

    private func number(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private func receive(_ count: Int) -> [UInt8]? {
        guard count > 0 else { return [] }
        guard count < 1 << 20 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(socket, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }

    private func send(_ bytes: [UInt8]) { _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
}
