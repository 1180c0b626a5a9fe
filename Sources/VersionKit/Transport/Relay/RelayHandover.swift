import NIOCore
import VersionKitModel
import VersionKitProcesses

extension Relay {
    /// All that another relay needs to go on where this one ended: sockets, what waits in buffers, and what was counted.
    ///
    /// The descriptors in it stay open, and belong to whoever has it. It is made to be encoded, with
    /// ``InheritedDescriptors``. Decoding fails for hardly anything: what cannot be understood of a connection ends that
    /// connection alone, by ``Relay/start()``, and is counted as "handover-broken".
    package struct Handover: Sendable, Codable {
        /// Changed whenever connections are described in another way.
        static let currentFormat = 1

        var format = currentFormat
        /// Of all threads, and all that wait to be accepted there.
        var listeners: [InheritedDescriptor] = []
        var connections: [Entry] = []
        /// Peers without a router, and for how much longer that is believed.
        var plainPeers: [Endpoint: Duration] = [:]
        var ledger = RelayLedger.Saved()

        init() {}

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            format = try container.decode(Int.self, forKey: .format)
            listeners = try container.decode([IfOpen].self, forKey: .listeners).compactMap(\.descriptor)
            connections = try container.decode([Entry].self, forKey: .connections)
            plainPeers = (try? container.decode([Endpoint: Duration].self, forKey: .plainPeers)) ?? [:]
            ledger = (try? container.decode(RelayLedger.Saved.self, forKey: .ledger)) ?? .init()
            guard format != Self.currentFormat else { return }
            for index in connections.indices { connections[index].connection = nil }
        }

        /// Adds what another thread had.
        mutating func add(_ other: Handover) {
            listeners += other.listeners
            connections += other.connections
            plainPeers.merge(other.plainPeers, uniquingKeysWith: max)
        }
    }
}

extension Relay.Handover {
    /// A connection and its descriptors, which are known whatever else of it is not understood.
    struct Entry: Sendable, Codable {
        /// The near end's socket, the far end's if there is one, and for each of them in this order a pipe's output and
        /// input if it has one.
        var descriptors: [InheritedDescriptor]
        /// `nil`: not understood.
        var connection: Connection?

        init(descriptors: [Int32], connection: Connection) {
            self.descriptors = descriptors.map { InheritedDescriptor($0) }
            self.connection = connection
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let numbers = try container.decode([IfOpen].self, forKey: .descriptors)
            descriptors = numbers.compactMap(\.descriptor)
            connection = try? container.decode(Connection.self, forKey: .connection)
            if descriptors.count != numbers.count || connection?.descriptorsCount != descriptors.count {
                connection = nil
            }
        }
    }

    /// How far a connection is.
    struct Connection: Sendable, Codable {
        var phase: RelayedConnection.Phase
        /// How long it has been in this phase, if it may not stay there.
        var waited: Duration
        var peer: Endpoint
        var port: UInt16
        var isOutbound: Bool
        var provesPlain: Bool
        var application: ApplicationID?
        var version: Version?
        var near: End
        var far: End?

        /// How many descriptors belong to it; `nil`: there is no such connection.
        var descriptorsCount: Int? {
            switch phase {
            case .pooling, .pooled: return nil
            case .identifying: guard far == nil else { return nil }
            case .connecting, .probing, .relaying:
                guard far != nil, application != nil, version != nil else { return nil }
            }
            return [near, far].reduce(0) { $0 + ($1.map { $0.pipeBytes > 0 ? 3 : 1 } ?? 0) }
        }
    }

    /// One end of a connection: see ``RelayEnd``.
    struct End: Sendable, Codable {
        var prefix: ByteBuffer?
        var unsent: ByteBuffer
        var pipeBytes: Int
        var header: ByteBuffer?
        var isFinished: Bool
        var isShut: Bool
    }

    /// A descriptor that should be open.
    private struct IfOpen: Codable {
        var descriptor: InheritedDescriptor?

        init(from decoder: any Decoder) throws { descriptor = try? InheritedDescriptor(from: decoder) }
    }
}
