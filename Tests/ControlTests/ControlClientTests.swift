import CLinux
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

/// Method: a server out of plain sockets that goes away in the middle, as a versiond does that another one replaces.
@Suite("Control client")
struct ControlClientTests {
    private final class Server: Sendable {
        let path: String
        private let socket: Int32

        init() throws {
            var template = Array("/tmp/control-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
            path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/socket"
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard vk_bind_unix(socket, path) == 0, listen(socket, 8) == 0 else { throw SystemError("listen") }
        }

        deinit {
            close(socket)
            unlink(path)
            rmdir(String(path.dropLast("/socket".count)))
        }

        /// Takes one request, and answers with these bytes, or goes away without an answer.
        func serve(_ answer: String?) {
            let client = vk_accept4(socket, 0)
            defer { close(client) }
            var buffer = [UInt8](repeating: 0, count: 1024)
            guard read(client, &buffer, buffer.count) > 0, let answer else { return }
            _ = write(client, answer, answer.utf8.count)
        }
    }

    private static let done = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"done\":\"yes\"}"

    @Test("what may be asked twice is asked again of whoever comes after a versiond that went away")
    func repeats() async throws {
        let server = try Server()
        let client = ControlClient(path: server.path)
        let answer = Task { try await tryOnThread("client") { try client.ask(.renew(ports: [7000], leaseSeconds: 9)) } }
        await onThread("server") {
            server.serve(nil)
            server.serve(Self.done)
        }
        #expect(try await answer.value == .done("yes"))
    }

    @Test("what may not be asked twice is an error when its answer is lost")
    func doesNotRepeat() async throws {
        let server = try Server()
        let client = ControlClient(path: server.path)
        let answer = Task { try await tryOnThread("client") { try client.ask(.publish(directory: "/release")) } }
        await onThread("server") { server.serve(nil) }
        await #expect(throws: ControlError.self) { try await answer.value }
    }

    @Test("what speaks another language is told apart", arguments: ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"])
    func foreign(_ answer: String) async throws {
        let server = try Server()
        let client = ControlClient(path: server.path)
        let asked = Task { try await tryOnThread("client") { try client.ask(.publish(directory: "/release")) } }
        await onThread("server") { server.serve(answer) }
        await #expect(throws: ControlError.self) { try await asked.value }
    }

    @Test("where no socket is, nobody is waited for")
    func absent() {
        let begin = ContinuousClock.now
        #expect(throws: ControlError.self) { try ControlClient(path: "/run/no/socket").ask(.status) }
        #expect(ContinuousClock.now - begin < .seconds(1))
    }
}
