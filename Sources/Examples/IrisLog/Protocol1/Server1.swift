public import IrisLogCore
public import IrisLogNetwork
public import NIOCore

/// The services of version 1.
public struct Server1: ServerVersion {
    private let engine: QueryEngine

    /// Creates the services; version 1 asks other servers one after the other.
    public init(
        hierarchy: Hierarchy, me: String, database: Database, peerPort: Int, patience: Duration = Limits.patience
    ) {
        engine = QueryEngine(
            hierarchy: hierarchy, me: me, database: database, peers: Peer1(defaultPort: peerPort),
            fanout: .sequential, patience: patience)
    }

    /// Answers a client's lines in order.
    public func converseWithClient(_ inbound: Listener.Inbound, _ outbound: Listener.Outbound) async throws {
        try await converse(inbound, outbound, beginnings: [""]) { line in
            do throws(IrisLogError) {
                return (try await reply(to: try ClientRequest1(line: line)), true)
            } catch {
                return (.error(error), true)
            }
        }
    }

    /// Answers another server; what is not a request of this version ends the connection.
    public func converseWithPeer(_ inbound: Listener.Inbound, _ outbound: Listener.Outbound) async throws {
        try await converse(inbound, outbound, beginnings: PeerRequest1.beginnings) { line in
            do throws(IrisLogError) {
                switch try PeerRequest1(line: line) {
                case .ask(let hops, let xpath): return (.answer(try await engine.query(xpath, hops: hops)), true)
                case .gather(let hops, let path): return (.fragment(try await engine.fragment(path, hops: hops)), true)
                }
            } catch {
                return (.error(error), error.code != .syntax)
            }
        }
    }

    private func reply(to request: ClientRequest1) async throws(IrisLogError) -> Reply1 {
        switch request {
        case .query(let xpath): return .answer(try await engine.query(xpath))
        case .update(let path, let reading):
            try await engine.database.update(path: path, reading: reading)
            return .done
        case .export: return .database(try engine.database.export())
        case .ping: return .pong
        }
    }

    /// Reads lines and writes replies until either side ends it.
    private func converse(
        _ inbound: Listener.Inbound, _ outbound: Listener.Outbound, beginnings: [String],
        _ answer: (String) async -> (reply: Reply1, goOn: Bool)
    ) async throws {
        var lines = LineDecoder()
        for try await bytes in inbound {
            lines.append(bytes)
            do throws(IrisLogError) {
                while let line = try lines.next() {
                    let (reply, goOn) = await answer(line)
                    guard (try? await outbound.write(reply.encoded)) != nil, goOn else { return }
                }
                // Bytes of another protocol may never contain a line feed.
                guard lines.canStart(with: beginnings) else { throw IrisLogError(.syntax, "unknown request") }
            } catch {
                // Behind a line that is none there is no telling where the next one starts.
                try await outbound.write(Reply1.error(error).encoded)
                return
            }
        }
    }
}
