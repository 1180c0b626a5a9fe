import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import VersionKitControl

/// Answers ``ControlRequest``s on a Unix socket: one line, one answer.
final class ControlServer: Sendable {
    private let channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
    private let path: String

    /// Listens. Only the owner of the file may connect: whoever can is root of this node's applications.
    init(path: String, group: any EventLoopGroup) async throws {
        self.path = path
        unlink(path)
        let mask = umask(0o077)
        defer { umask(mask) }
        channel = try await ServerBootstrap(group: group)
            .bind(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Answers until the task is cancelled.
    func run(_ answer: @escaping @Sendable (ControlRequest) async -> ControlResponse) async throws {
        try await channel.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { tasks in
                let slots = Slots(ControlLimits.connectionsMax)
                for try await connection in connections {
                    guard slots.take() else {
                        tasks.addTask { try? await connection.channel.close() }
                        continue
                    }
                    tasks.addTask {
                        // A client that goes away in the middle is no concern of ours.
                        try? await Self.serve(connection, answer)
                        slots.give()
                    }
                }
            }
        }
    }

    /// Removes the socket's name.
    func close() { unlink(path) }

    private static func serve(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>,
        _ answer: @Sendable (ControlRequest) async -> ControlResponse
    ) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var pending = ByteBuffer()
            for try await var bytes in inbound {
                pending.writeBuffer(&bytes)
                while let line = readLine(&pending) {
                    let response: ControlResponse
                    do {
                        response = await answer(try JSONDecoder().decode(ControlRequest.self, from: line))
                    } catch {
                        response = .refused("this is not a request that this versiond knows: \(error)")
                    }
                    var data = try JSONEncoder().encode(response)
                    data.append(UInt8(ascii: "\n"))
                    try await outbound.write(ByteBuffer(bytes: data))
                }
                guard pending.readableBytes <= ControlLimits.lineBytesMax else { return }
            }
        }
    }

    private static func readLine(_ buffer: inout ByteBuffer) -> Data? {
        let view = buffer.readableBytesView
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let length = end - view.startIndex
        guard let bytes = buffer.readBytes(length: length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 1)
        return Data(bytes)
    }
}
