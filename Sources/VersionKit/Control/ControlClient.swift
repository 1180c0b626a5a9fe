import FoundationEssentials
import Glibc
import VersionKitProcesses

/// Speaks to a node's control socket. Blocks the calling thread; for command-line tools and tests.
public struct ControlClient: Sendable {
    private let path: String

    /// How long an answer may take, in seconds.
    private static let answerTimeout = 30

    /// A client of the socket at this path.
    public init(path: String) { self.path = path }

    /// Asks and waits for the answer.
    ///
    /// - Throws: ``ControlError`` if there is no versiond, or it does not answer.
    public func ask(_ request: ControlRequest) throws -> ControlResponse {
        let socket = try connect()
        defer { close(socket) }
        var line = Array(try JSONEncoder().encode(request))
        line.append(UInt8(ascii: "\n"))
        guard send(socket, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else {
            throw ControlError("versiond at \(path) closed the connection")
        }
        let answer = try readLine(socket)
        return try JSONDecoder().decode(ControlResponse.self, from: Data(answer))
    }

    private func connect() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var timeout = timeval(tv_sec: Self.answerTimeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            close(descriptor)
            throw ControlError("the socket's path is too long: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw ControlError("no versiond answers at \(path) (\(reason)); is it running, and is this its socket?")
        }
        return descriptor
    }

    private func readLine(_ socket: Int32) throws -> [UInt8] {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while line.count <= ControlLimits.lineBytesMax {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw ControlError("versiond at \(path) did not answer within \(Self.answerTimeout) s")
            }
            line += buffer[..<count]
            if line.last == UInt8(ascii: "\n") { return line }
        }
        throw ControlError("versiond's answer is longer than \(ControlLimits.lineBytesMax) bytes")
    }
}

/// Why a node could not be asked.
public struct ControlError: Error, Sendable, CustomStringConvertible {
    /// What happened and what to do.
    public let description: String

    init(_ description: String) { self.description = description }
}
