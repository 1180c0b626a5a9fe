import CLinux
import Glibc
import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTransport

/// Limits of conversations over loopback.
public enum Loopback {
    /// How long anything may take, in seconds.
    public static let timeout = 30
}

/// A value behind a lock.
final class LockedState<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try value.withLock { (value: inout Value) throws -> Result in try body(&value) }
    }
}

/// A listening socket on a free port.
final class LoopbackListener: Sendable {
    let endpoint: Endpoint
    private let descriptor: Int32
    private let isTaken = LockedState(false)

    init() throws {
        descriptor = try ClientListener.open(.stream(Endpoint(address: IPAddress.Family.v4.loopback, port: 0)))
        guard let own = localEndpoint(of: descriptor) else { throw SystemError("getsockname") }
        endpoint = own
    }

    deinit { if !isTaken.withLock({ $0 }) { close(descriptor) } }

    /// Gives the descriptor away.
    func takeDescriptor() -> Int32 {
        isTaken.withLock { $0 = true }
        return descriptor
    }

    func accept() throws -> LoopbackStream {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, Int32(Loopback.timeout * 1000)) == 1 else {
            throw VerificationFailure("the proxy did not connect to this version")
        }
        return LoopbackStream(Glibc.accept(descriptor, nil, nil))
    }
}

/// One end of a connection; blocks, for ``Loopback/timeout`` at most.
final class LoopbackStream: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: Loopback.timeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    convenience init(to endpoint: Endpoint) throws {
        self.init(try openSocket(endpoint.address.family, .stream))
        guard connectSocket(descriptor, to: endpoint) else {
            throw SystemError("connect to \(endpoint)")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Ends the connection; the descriptor stays ours, so nobody else gets its number.
    func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func send(_ bytes: ByteBuffer) throws {
        let count = bytes.withUnsafeReadableBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count == bytes.readableBytes else { throw VerificationFailure("the proxy has closed this connection") }
    }

    func expect(_ expected: ByteBuffer, as who: String) throws {
        var got: [UInt8] = []
        while got.count < expected.readableBytes {
            var buffer = [UInt8](repeating: 0, count: expected.readableBytes - got.count)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            got += buffer[..<count]
        }
        guard ByteBuffer(bytes: got) == expected else {
            throw VerificationFailure(
                """
                \(who) got another thing
                  expected '\(EscapedText.encode(expected))'
                  got      '\(EscapedText.encode(ByteBuffer(bytes: got)))'
                """)
        }
    }

    func expectEnd(of who: String) throws {
        var byte: UInt8 = 0
        guard recv(descriptor, &byte, 1, 0) <= 0 else { throw VerificationFailure("\(who)'s connection is open") }
    }
}
