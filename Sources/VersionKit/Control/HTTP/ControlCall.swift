package import FoundationEssentials
import VersionKitModel

/// A ``ControlRequest`` as HTTP carries it.
///
/// Pure: bytes and sockets are ``ControlClient``'s and the server's.
package struct ControlCall: Sendable, Hashable {
    /// `GET`, `POST`, `DELETE`.
    package var method: String
    /// The path, and behind `?` what is asked for.
    package var target: String
    /// JSON, or nothing.
    package var body: Data

    /// A request as it came.
    package init(method: String, target: String, body: Data) {
        (self.method, self.target, self.body) = (method, target, body)
    }

    private struct Publish: Codable { var directory: String }
    private struct File: Codable { var file: String }
    private struct Restart: Codable { var binary: String? }
    private struct Named: Codable { var application: ApplicationID }
    private struct Judge: Codable {
        var application: ApplicationID, version: Version, promotes: Bool, reason: String?
    }
    private struct Restore: Codable {
        var application: ApplicationID, snapshot: String, isClean: Bool?, isReplayed: Bool?
    }
    private struct Take: Codable { var application: ApplicationID, version: Version?, level: SnapshotLevel? }
    private struct Peer: Codable { var application: ApplicationID, address: IPAddress }
    private struct Register: Codable { var ports: [TransportPort], name: ProtocolName?, leaseSeconds: UInt32? }
    private struct Renew: Codable { var ports: [TransportPort], leaseSeconds: UInt32 }
    private struct Unregister: Codable { var ports: [TransportPort] }

    /// A request that is to be sent.
    package init(_ request: ControlRequest) throws {
        switch request {
        case .status: self.init(to: .status)
        case .metrics: self.init(to: .metrics)
        case .history(let application, let limit):
            self.init(to: .history, query: [("application", application?.rawValue), ("limit", limit.map(String.init))])
        case .traffic: self.init(to: .traffic)
        case .isolation: self.init(to: .isolation)
        case .snapshots: self.init(to: .snapshots)
        case .publish(let directory): try self.init(to: .publish, Publish(directory: directory))
        case .publishRoot(let file): try self.init(to: .publishRoot, File(file: file))
        case .publishChannel(let file): try self.init(to: .publishChannel, File(file: file))
        case .restart(let binary): try self.init(to: .restart, Restart(binary: binary))
        case .rollback(let application): try self.init(to: .rollback, Named(application: application))
        case .judge(let application, let version, let promotes, let reason):
            try self.init(
                to: .judge, Judge(application: application, version: version, promotes: promotes, reason: reason))
        case .restore(let application, let snapshot, let isClean, let isReplayed):
            try self.init(
                to: .restore,
                Restore(application: application, snapshot: snapshot, isClean: isClean, isReplayed: isReplayed))
        case .snapshot(let application, let version, let level):
            try self.init(to: .takeSnapshot, Take(application: application, version: version, level: level))
        case .removeSnapshot(let id): self.init(to: .removeSnapshot, parameter: id)
        case .explain(let query): try self.init(to: .explainFlow, query)
        case .forgetPeer(let application, let address):
            try self.init(to: .forgetPeer, Peer(application: application, address: address))
        case .register(let ports, let name, let lease):
            try self.init(to: .register, Register(ports: ports, name: name, leaseSeconds: lease))
        case .renew(let ports, let lease): try self.init(to: .renew, Renew(ports: ports, leaseSeconds: lease))
        case .unregister(let ports): try self.init(to: .unregister, Unregister(ports: ports))
        case .ports(let application, let name, let transport):
            self.init(
                to: .ports,
                query: [
                    ("application", application?.rawValue), ("name", name?.rawValue),
                    ("transport", transport?.description),
                ])
        }
    }

    private init(to route: ControlRoute, parameter: String = "", query: [(String, String?)] = []) {
        let asked = query.compactMap { name, value in value.map { "\(name)=\(HTTPText.escaped($0))" } }
        let target = route.path(for: parameter) + (asked.isEmpty ? "" : "?" + asked.joined(separator: "&"))
        self.init(method: route.method, target: target, body: Data())
    }

    private init(to route: ControlRoute, _ body: some Encodable) throws {
        self.init(to: route)
        self.body = try JSONEncoder().encode(body)
    }

    /// What is asked.
    ///
    /// - Throws: ``ControlFault`` if it is nothing that there is.
    package func request() throws(ControlFault) -> ControlRequest {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let (route, parameter) = try ControlRoute.find(method, parts[0])
        let query = try Query(parts.count > 1 ? parts[1] : "")
        switch route {
        case .status: return .status
        case .metrics: return .metrics
        case .history:
            return .history(
                application: try query.value("application") { ApplicationID(rawValue: $0) },
                limit: try query.value("limit") { Int($0) })
        case .traffic: return .traffic
        case .isolation: return .isolation
        case .snapshots: return .snapshots
        case .publish: return .publish(directory: try read(Publish.self).directory)
        case .publishRoot: return .publishRoot(file: try read(File.self).file)
        case .publishChannel: return .publishChannel(file: try read(File.self).file)
        case .restart: return .restart(binary: body.isEmpty ? nil : try read(Restart.self).binary)
        case .rollback: return .rollback(application: try read(Named.self).application)
        case .judge:
            let body = try read(Judge.self)
            return .judge(
                application: body.application, version: body.version, promotes: body.promotes, reason: body.reason)
        case .restore:
            let body = try read(Restore.self)
            return .restore(
                application: body.application, snapshot: body.snapshot, isClean: body.isClean,
                isReplayed: body.isReplayed)
        case .takeSnapshot:
            let body = try read(Take.self)
            return .snapshot(application: body.application, version: body.version, level: body.level ?? .files)
        case .removeSnapshot: return .removeSnapshot(parameter)
        case .explainFlow: return .explain(try read(FlowQuery.self))
        case .forgetPeer:
            let body = try read(Peer.self)
            return .forgetPeer(application: body.application, address: body.address)
        case .register:
            let body = try read(Register.self)
            return .register(ports: body.ports, name: body.name, leaseSeconds: body.leaseSeconds)
        case .renew:
            let body = try read(Renew.self)
            return .renew(ports: body.ports, leaseSeconds: body.leaseSeconds)
        case .unregister: return .unregister(ports: try read(Unregister.self).ports)
        case .ports:
            return .ports(
                application: try query.value("application") { ApplicationID(rawValue: $0) },
                name: try query.value("name") { ProtocolName(rawValue: $0) },
                transport: try query.value("transport") { text in
                    TransportProtocol.allCases.first { $0.description == text }
                })
        }
    }

    private func read<Body: Decodable>(_ type: Body.Type) throws(ControlFault) -> Body {
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch {
            throw ControlFault(400, "the body is not what \(target.prefix { $0 != "?" }) takes: \(error)")
        }
    }

    /// What stands behind `?`.
    private struct Query {
        private var values: [String: String] = [:]

        init(_ text: Substring) throws(ControlFault) {
            for part in text.split(separator: "&") {
                let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard sides.count == 2, let value = HTTPText.unescaped(sides[1]) else {
                    throw ControlFault(400, "'\(part)' is not NAME=VALUE")
                }
                values[String(sides[0])] = value
            }
        }

        func value<Value>(_ name: String, _ parse: (String) -> Value?) throws(ControlFault) -> Value? {
            guard let text = values[name] else { return nil }
            guard let value = parse(text) else { throw ControlFault(400, "'\(text)' is no \(name)") }
            return value
        }
    }
}
