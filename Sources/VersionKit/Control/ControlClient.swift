import Glibc
public import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// Asks a node by HTTP. Blocks the calling thread; for command-line tools and tests.
public struct ControlClient: Sendable {
    /// Where a node listens, for people.
    private let place: String
    private let address: Address

    private enum Address: Sendable {
        case path(String)
        case tcp(Endpoint, token: String?)
    }

    /// How long the answer to a request may take, in seconds: a version has to stop for some, or a machine to boot.
    private static func answerTimeout(_ request: ControlRequest) -> Int {
        switch request {
        case .restore, .snapshot: 600
        default: 30
        }
    }

    /// A client of the socket at this path.
    public init(path: String) { (place, address) = (path, .path(path)) }

    /// A client of a node that listens on TCP.
    ///
    /// - Parameter token: what the node has in the file `token` of `controlTCP`.
    public init(endpoint: Endpoint, token: String?) {
        (place, address) = (endpoint.description, .tcp(endpoint, token: token))
    }

    /// For how long a versiond may be away that left its socket: it may be about to go on as another.
    private static let retryTime = Duration.seconds(2)
    /// The pause between two tries, in milliseconds.
    private static let retryPause: Int32 = 20

    /// Asks and waits for the answer. What may be asked twice is, if versiond goes away and comes back.
    ///
    /// - Throws: ``ControlError`` if there is no versiond, or it does not answer.
    public func ask(_ request: ControlRequest) throws -> ControlResponse {
        let clock = ContinuousClock()
        // Counted from the first failure: who waited long for an answer that never came still asks again.
        var deadline: ContinuousClock.Instant?
        while true {
            do {
                return try askOnce(request)
            } catch let error as ControlError where error.mayPass && clock.now < deadline ?? .now + Self.retryTime {
                guard error.isUnasked || request.isRepeatable else { throw error }
                deadline = deadline ?? clock.now + Self.retryTime
                poll(nil, 0, Self.retryPause)
            }
        }
    }

    private func askOnce(_ request: ControlRequest) throws -> ControlResponse {
        let timeout = Self.answerTimeout(request)
        let socket = try connect(timeout)
        defer { close(socket) }
        let call = try ControlCall(request)
        var bytes =
            switch address {
            case .path: HTTPClientMessage.bytes(of: call, host: "versiond", token: nil)[...]
            case .tcp(let endpoint, let token):
                HTTPClientMessage.bytes(of: call, host: endpoint.description, token: token)[...]
            }
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw ControlError("versiond at \(place) closed the connection", mayPass: true) }
            bytes = bytes.dropFirst(count)
        }
        return try readAnswer(socket, timeout).response(to: request)
    }

    private func connect(_ seconds: Int) throws -> Int32 {
        let descriptor =
            switch address {
            case .path: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            case .tcp(let endpoint, _): try openSocket(endpoint.address.family, .stream)
            }
        guard descriptor >= 0 else { throw SystemError("socket") }
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        guard try reach(descriptor) else {
            let code = errno
            close(descriptor)
            throw ControlError(
                "no versiond answers at \(place) (\(String(cString: strerror(code)))); is it running, and is this its socket?",
                mayPass: code == ECONNREFUSED, isUnasked: true)
        }
        return descriptor
    }

    private func reach(_ descriptor: Int32) throws(ControlError) -> Bool {
        switch address {
        case .tcp(let endpoint, _): return connectSocket(descriptor, to: endpoint)
        case .path(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
                close(descriptor)
                throw ControlError("the socket's path is too long: \(path)")
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            } == 0
        }
    }

    private func readAnswer(_ socket: Int32, _ timeout: Int) throws -> ControlAnswer {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count != 0, count > 0 || errno != ECONNRESET else {
                throw ControlError("versiond at \(place) closed the connection before it answered", mayPass: true)
            }
            guard count > 0 else {
                throw ControlError("versiond at \(place) did not answer within \(timeout) s")
            }
            bytes += buffer[..<count]
            if let answer = try HTTPClientMessage.answer(in: bytes) { return answer }
        }
    }
}

/// Why a node could not be asked.
public struct ControlError: Error, Sendable, CustomStringConvertible {
    /// What happened and what to do.
    public let description: String
    /// Whether versiond may only be away for a moment.
    let mayPass: Bool
    /// Whether it did not get the request.
    let isUnasked: Bool

    init(_ description: String, mayPass: Bool = false, isUnasked: Bool = false) {
        self.description = description
        self.mayPass = mayPass
        self.isUnasked = isUnasked
    }
}
