import CLinux
import Glibc
import Synchronization
import VersionKit
import VersionKitProcesses
import VersionKitSockets

/// The service: a number that only grows.
final class Counter: Sendable {
    private let version: String
    private let file: String
    private let count: Mutex<Int>

    init(version: String, file: String) {
        self.version = version
        self.file = file
        var count: Int32 = 0
        if let stream = fopen(file, "re") {
            withUnsafeMutablePointer(to: &count) { _ = withVaList([$0]) { vfscanf(stream, "%d", $0) } }
            fclose(stream)
        }
        self.count = Mutex(Int(count))
    }

    func serve(at port: UInt16) throws {
        signal(SIGPIPE, SIG_IGN)
        let listener = try openSocket(.v4, .stream)
        guard bindSocket(listener, to: Endpoint(address: IPAddress.Family.v4.any, port: port)),
            listen(listener, 16) == 0
        else { throw SystemError("listen at port \(port)") }
        print("version \(version) counts on from \(count.withLock { $0 })")
        fflush(nil)
        while true {
            let socket = vk_accept4(listener, 0)
            guard socket >= 0 else { continue }
            SystemThread(name: "client") { [self] in
                readLines(socket) { line in
                    let reply = answer(line) + "\n"
                    _ = write(socket, reply, reply.utf8.count)
                }
                close(socket)
            }.start()
        }
    }

    private func answer(_ line: String) -> String {
        let words = line.split(separator: " ")
        guard words.first == "set", words.count == 2, let number = Int(words[1]) else {
            return "\(version) \(count.withLock { $0 })"
        }
        return count.withLock { count in
            count = max(count, number)
            return keep(count) ? "done" : "error: \(SystemError("write \(file)"))"
        }
    }

    /// At one stroke, and safe from a crash of the machine when it is answered.
    private func keep(_ count: Int) -> Bool {
        guard let stream = fopen(file + ".new", "we") else { return false }
        fputs("\(count)\n", stream)
        fflush(stream)
        let isWritten = fsync(fileno(stream)) == 0
        return fclose(stream) == 0 && isWritten && rename(file + ".new", file) == 0
    }
}

/// The first line that a server sends.
func line(from server: Endpoint) throws -> String {
    let socket = try openSocket(server.address.family, .stream)
    guard connectSocket(socket, to: server) else { throw SystemError("connect to \(server)") }
    guard let stream = fdopen(socket, "r") else { throw SystemError("read from \(server)") }
    defer { fclose(stream) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard fgets(&buffer, Int32(buffer.count), stream) != nil else { throw SystemError("read a line of \(server)") }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
