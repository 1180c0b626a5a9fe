import Foundation
import Glibc
import NIOPosix
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
@testable import VersionKitNode

/// The control API over real sockets; what is behind it is made up.
@Suite("The control server")
struct ControlServerTests {
    private static let secret = String(repeating: "s3cr3t-", count: 6)
    private let directory = FileManager.default.temporaryDirectory.appending(path: "control-\(UUID())").path

    /// A server that answers each request with what it was.
    private func serve(
        onTCP: Bool = false,
        _ body: (ControlServer, ControlClient, _ ask: (String) async throws -> String) async throws -> Void
    ) async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let group = MultiThreadedEventLoopGroup.singleton
        let path = directory + "/control.sock"
        let server: ControlServer
        let endpoint: Endpoint?
        if onTCP {
            let token = try #require(ControlToken(bytes: Array(Self.secret.utf8)))
            server = try await ControlServer(
                on: Endpoint(address: IPAddress.Family.v4.loopback, port: 0), token: token, group: group)
            endpoint = localEndpoint(of: server.handOver().number)
        } else {
            server = try await ControlServer(path: path, group: group)
            endpoint = nil
        }
        let task = Task {
            try await server.run { request in
                if case .publish = request { .refused("not \(request)") } else { .done("\(request)") }
            }
        }
        let client = endpoint.map { ControlClient(endpoint: $0, token: Self.secret) } ?? ControlClient(path: path)
        try await body(server, client) { bytes in
            try await tryOnThread("client") { try Self.exchange(bytes, endpoint, path) }
        }
        task.cancel()
        server.close()
        _ = await task.result
    }

    /// Sends bytes, and reads until the server ends the connection.
    private static func exchange(_ bytes: String, _ endpoint: Endpoint?, _ path: String) throws -> String {
        let socket: Int32
        if let endpoint {
            socket = try openSocket(.v4, .stream)
            guard connectSocket(socket, to: endpoint) else { throw SystemError("connect") }
        } else {
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard result == 0 else { throw SystemError("connect") }
        }
        defer { close(socket) }
        var rest = Array(bytes.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // It may have heard enough.
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += buffer[..<count]
        }
    }

    @Test("requests and answers go by HTTP, several on a connection", arguments: [false, true])
    func conversation(onTCP: Bool) async throws {
        try await serve(onTCP: onTCP) { _, client, ask in
            let application = try #require(ApplicationID(rawValue: "irislog"))
            let request = ControlRequest.rollback(application: application)
            #expect(try await tryOnThread("client") { try client.ask(request) } == .done("\(request)"))
            let publish = ControlRequest.publish(directory: "/x y")
            #expect(try await tryOnThread("client") { try client.ask(publish) } == .refused("not \(publish)"))
            let head = "Host: n\r\nAuthorization: Bearer \(Self.secret)\r\n"
            let answer = try await ask(
                "DELETE /v1/snapshots/a HTTP/1.1\r\n\(head)\r\nDELETE /v1/snapshots/b HTTP/1.1\r\n\(head)Connection: close\r\n\r\n"
            )
            #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
            #expect(answer.contains(#"removeSnapshot(\"a\")"#) && answer.contains(#"removeSnapshot(\"b\")"#))
        }
    }

    @Test("who does not show the token by TCP is not answered, and counted")
    func token() async throws {
        try await serve(onTCP: true) { server, _, ask in
            for header in ["", "Authorization: Bearer \(Self.secret)x\r\n", "Authorization: Basic \(Self.secret)\r\n"] {
                let answer = try await ask("GET /v1/status HTTP/1.1\r\nHost: n\r\n\(header)Connection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 401 "))
                #expect(answer.lowercased().contains("www-authenticate: bearer"))
            }
            #expect(server.refused == ["HTTP 401": 3])
        }
    }

    @Test(
        "what is no request is told so, with the right number",
        arguments: [
            ("GET /v1/nothing HTTP/1.1\r\n", "404"), ("PUT /v1/status HTTP/1.1\r\n", "405"),
            ("POST /v1/rollback HTTP/1.1\r\n", "400"), ("nonsense\r\n", "400"),
            ("POST /v1/rollback HTTP/1.1\r\nContent-Length: -1\r\n", "400"),
        ])
    func faults(request: String, status: String) async throws {
        try await serve { _, _, ask in
            let answer = try await ask(request + "Host: n\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        }
    }

    @Test("a body that is too long is refused before all of it is there")
    func tooLong() async throws {
        try await serve { server, _, ask in
            let length = ControlLimits.bodyBytesMax + 1
            let head = "POST /v1/rollback HTTP/1.1\r\nHost: n\r\nContent-Length: \(length * 2)\r\n\r\n"
            _ = try await ask(head + String(repeating: " ", count: length))
            #expect(server.refused == ["HTTP 413": 1])
        }
    }

    @Test("whoever comes after a restart goes on with the same socket, those who connect meanwhile wait")
    func handedOver() async throws {
        try await serve(onTCP: true) { server, client, _ in
            let copy = fcntl(server.handOver().number, F_DUPFD_CLOEXEC, 0)
            let token = try #require(ControlToken(bytes: Array(Self.secret.utf8)))
            let next = try await ControlServer(
                on: Endpoint(address: IPAddress.Family.v4.loopback, port: 0), token: token,
                resuming: InheritedDescriptor(copy), group: MultiThreadedEventLoopGroup.singleton)
            #expect(localEndpoint(of: next.handOver().number) == localEndpoint(of: server.handOver().number))
        }
    }

    @Test("a token has enough letters, and only those that a header can have")
    func tokens() throws {
        #expect(ControlToken(bytes: Array(repeating: 65, count: 31)) == nil)
        let token = try #require(ControlToken(bytes: Array(Self.secret.utf8)))
        #expect(token.isShown(by: "Bearer " + Self.secret))
        for other in [nil, "", "Bearer ", Self.secret, "bearer " + Self.secret, "Bearer " + Self.secret.dropLast()] {
            #expect(token.isShown(by: other) == false)
        }
    }

    @Test("a token's file is its owner's alone, and one word")
    func tokenFiles() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/token"
        for (text, mode, isGood) in [
            (Self.secret + "\n", 0o600, true), (Self.secret, 0o640, false), ("short\n", 0o600, false),
            (Self.secret + " " + Self.secret, 0o600, false),
        ] {
            try? FileManager.default.removeItem(atPath: path)
            #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
            #expect(chmod(path, mode_t(mode)) == 0)
            let token = try? ControlToken(contentsOf: path)
            #expect((token != nil) == isGood)
        }
    }
}
