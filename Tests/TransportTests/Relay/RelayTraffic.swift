import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses

/// Traffic that goes on until it is ended, whatever happens to the relays meanwhile. Its counts can be read at any time.
final class LastingTraffic: Sendable {
    private static let block = TestStream.pattern(65_521, by: 31)
    private let isEnded = Atomic(false)
    let exchanges = Atomic(0)
    let bytes = Atomic(0)

    func end() { isEnded.store(true, ordering: .releasing) }

    private var goesOn: Bool { !isEnded.load(ordering: .acquiring) }

    /// Sends one block after the other.
    ///
    /// - Returns: how many bytes.
    func stream(to stream: TestStream) async -> Int {
        await onThread("stream") { [self] in
            var sent = 0
            while goesOn {
                stream.send(Self.block)
                sent += Self.block.count
            }
            stream.finish()
            return sent
        }
    }

    /// Receives such blocks until the end.
    ///
    /// - Returns: how many bytes came, -1 if they were not those that were sent.
    func receive(from stream: TestStream) async -> Int {
        await onThread("receive") { [self] in
            var received = 0
            while true {
                let bytes = stream.receive(Self.block.count)
                if bytes.isEmpty { return received }
                guard bytes == Self.block else { return -1 }
                received += bytes.count
                self.bytes.add(bytes.count, ordering: .relaxed)
            }
        }
    }

    /// Connects again and again, says something each time, and wants it back.
    ///
    /// - Returns: how many connections failed.
    func connect(to address: IPAddress, in environment: Int32) async -> Int {
        await onThread("connect") { [self] in
            var failed = 0
            while goesOn {
                let client = try? TestStream.connectIfOpen(to: address, in: environment)
                client?.send("hello")
                let answer = client?.text(5)
                client?.finish()
                if answer != "hello" || client?.end() != .finished { failed += 1 }
                exchanges.add(1, ordering: .relaxed)
            }
            return failed
        }
    }

    /// Sends back what comes, on one connection after the other, until the listener is stopped.
    static func echo(_ listener: TestStream) async {
        await onThread("echo") {
            while let stream = listener.acceptIfOpen() {
                stream.send(stream.text(5))
                _ = stream.end()
            }
        }
    }
}
