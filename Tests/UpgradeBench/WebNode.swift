import BenchDriver
import CLinux
import ExampleFleet
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// One host of the comparison: it has the file and serves it by HTTP, or fetches it whole from the first that does.
struct WebNode {
    private static let headMax = 4096
    private static let chunkBytes = 1 << 20

    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    func run() async throws {
        let file = try settings.text("file")
        let go = try settings.text("go")
        let stop = try settings.text("stop")
        guard let seed = Endpoint(try settings.text("peers")) else { throw FleetError("peers= is no endpoint") }
        if try settings.text("seed") == "yes" {
            let listener = try openSocket(seed.address.family, .stream)
            guard bindSocket(listener, to: seed), listen(listener, 256) == 0 else { throw SystemError("listen") }
            SystemThread(name: "accept") { Self.accept(listener, file) }.start()
            say("ready")
        } else {
            say("ready")
            try await BenchNode.wait(for: go)
            let received = try await tryOnThread("fetch") { try Self.fetch(from: seed, to: file) }
            try BenchNode.tellDone(file, received: received)
        }
        try await BenchNode.wait(for: stop)
        say("sent 0")
    }

    private static func accept(_ listener: Int32, _ file: String) {
        while true {
            let socket = vk_accept4(listener, Int32(SOCK_CLOEXEC.rawValue))
            guard socket >= 0 else { continue }
            SystemThread(name: "client") {
                try? answer(socket, file)
                close(socket)
            }.start()
        }
    }

    private static func answer(_ socket: Int32, _ file: String) throws {
        var head = [UInt8](repeating: 0, count: headMax)
        guard read(socket, &head, head.count) > 0 else { return }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(file)") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("look at \(file)") }
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(status.st_size)\r\nConnection: close\r\n\r\n"
        guard write(socket, answer, answer.utf8.count) == answer.utf8.count else { return }
        var place = off_t(0)
        while place < status.st_size, sendfile(socket, descriptor, &place, chunkBytes) > 0 {}
    }

    /// - Returns: how many bytes came.
    private static func fetch(from seed: Endpoint, to file: String) throws -> Int {
        let socket = try openSocket(seed.address.family, .stream)
        defer { close(socket) }
        guard connectSocket(socket, to: seed) else { throw SystemError("connect to \(seed)") }
        let request = "GET / HTTP/1.1\r\nHost: \(seed)\r\nConnection: close\r\n\r\n"
        guard write(socket, request, request.utf8.count) == request.utf8.count else { throw SystemError("ask \(seed)") }
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("make \(file)") }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: chunkBytes)
        var head: [UInt8]? = []
        var received = 0
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count > 0 else { break }
            var body = buffer[..<count]
            if let begun = head {
                let all = begun + body
                guard let end = all.indices.first(where: { all[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else {
                    guard all.count < headMax else { throw FleetError("\(seed) does not speak HTTP") }
                    head = all
                    continue
                }
                head = nil
                body = all[(end + 4)...]
            }
            received += body.count
            guard Array(body).withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == body.count else {
                throw SystemError("write \(file)")
            }
        }
        return received
    }
}
