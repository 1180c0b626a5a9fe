public import IrisLogCore
public import IrisLogNetwork
public import NIOCore

/// The services of version 2.
public struct Server2: ServerVersion {
    private let engine: QueryEngine

    /// Creates the services; version 2 asks other servers at the same time.
    public init(
        hierarchy: Hierarchy, me: String, database: Database, peerPort: Int, patience: Duration = Limits.patience
    ) {
        engine = QueryEngine(
            hierarchy: hierarchy, me: me, database: database, peers: Peer2(defaultPort: peerPort),
            fanout: .parallel, patience: patience)
    }

    /// Answers a client's frames in order.
    public func converseWithClient(_ inbound: Listener.Inbound, _ outbound: Listener.Outbound) async throws {
        var received = ByteBuffer()
        for try await bytes in inbound {
            received.writeImmutableBuffer(bytes)
            guard try await answer(&received, outbound, { await clientReply(to: $0) }) else { return }
        }
    }

    /// Answers another server that starts with the preface; everybody else is closed at once.
    public func converseWithPeer(_ inbound: Listener.Inbound, _ outbound: Listener.Outbound) async throws {
        var received = ByteBuffer()
        var preface = PeerRequest2.preface[...]
        for try await bytes in inbound {
            received.writeImmutableBuffer(bytes)
            while let expected = preface.first, let byte: UInt8 = received.readInteger() {
                guard byte == expected else { return }
                preface = preface.dropFirst()
            }
            guard preface.isEmpty else { continue }
            guard try await answer(&received, outbound, { await peerReply(to: $0) }) else { return }
        }
    }

    private func clientReply(to frame: Frame) async -> Reply2 {
        do throws(IrisLogError) {
            switch try ClientRequest2(frame) {
            case .query(let xpath): return .answer(try await engine.query(xpath))
            case .update(let path, let reading):
                try await engine.database.update(path: path, reading: reading)
                return .done
            case .export: return .database(try engine.database.export())
            case .merge(let xml): return .merged(try await engine.database.merge(xml: xml))
            case .ping: return .pong
            }
        } catch {
            return .error(error)
        }
    }

    private func peerReply(to frame: Frame) async -> Reply2 {
        do throws(IrisLogError) {
            switch try PeerRequest2(frame) {
            case .ask(let hops, let xpath): return .peerAnswer(try await engine.query(xpath, hops: hops))
            case .gather(let hops, let path): return .fragment(try await engine.fragment(path, hops: hops))
            }
        } catch {
            return .error(error)
        }
    }

    /// Answers the complete frames; false if the connection cannot go on.
    private func answer(
        _ received: inout ByteBuffer, _ outbound: Listener.Outbound, _ reply: (Frame) async -> Reply2
    ) async throws -> Bool {
        while true {
            let frame: Frame?
            do throws(IrisLogError) {
                frame = try Frame.next(&received) { $0 == .merge ? Limits.documentBytes : Limits.requestBytes }
            } catch {
                // Without a believable length there is no telling where the next frame starts.
                try await outbound.write(Reply2.error(error).frame(id: 0).encoded)
                return false
            }
            guard let frame else { break }
            try await outbound.write(await reply(frame).frame(id: frame.id).encoded)
        }
        received.discardReadBytes()
        return true
    }
}
