public import VersionKitModel

/// Which ports belong to which application on this node, as its versions registered them: what portmap (RFC 1833) keeps
/// for programs, with leases and with owners.
///
/// A port belongs to one application, and is shared by those of its versions that hold it; it is free again when the
/// last of them gave it back, let its lease run out, or ended. A value: time is an argument, and nothing is bounded but
/// by the ports that releases list, of which only those can be registered.
///
/// - Note: R7.
public struct PortRegistry: Sendable, Equatable, Codable {
    /// The shortest and the longest lease, in seconds. Longer ones would be none.
    public static let leaseSeconds: ClosedRange<UInt32> = 1...86_400
    /// The most ports in one request.
    public static let requestPortsMax = 256

    /// Who holds ports: one version of an application.
    public struct Holder: Sendable, Hashable {
        /// The application.
        public var application: ApplicationID
        /// Its version.
        public var version: Version

        /// A version of an application.
        public init(_ application: ApplicationID, _ version: Version) {
            self.application = application
            self.version = version
        }
    }

    /// One version's hold on one port.
    public struct Entry: Sendable, Hashable {
        /// The port.
        public var port: TransportPort
        /// Who holds it.
        public var holder: Holder
        /// The application's name for what it speaks there.
        public var name: ProtocolName?
        /// When the hold ends unless it is renewed, by the caller's clock; `nil`: with the environment.
        public var end: Duration?
    }

    /// Why a request was refused; nothing of it was done then.
    public enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        /// Another application has the port.
        case taken(TransportPort, by: ApplicationID)
        /// The version's release does not list the port.
        case notListed(TransportPort, Version)
        /// The version does not hold the port, or not any more.
        case notHeld(TransportPort)
        /// No port at all was named.
        case nothing
        /// More ports than ``PortRegistry/requestPortsMax``.
        case tooMany(Int)
        /// A lease outside of ``PortRegistry/leaseSeconds``.
        case badLease(UInt32)

        public var description: String {
            switch self {
            case .taken(let port, let owner): "port \(port) belongs to \(owner)"
            case .notListed(let port, let version):
                "port \(port) is not among the peer ports of the release of version \(version)"
            case .notHeld(let port):
                "port \(port) is not registered by this version; its lease may have ended: register it"
            case .nothing: "no port was named"
            case .tooMany(let count): "\(count) ports in one request; at most \(requestPortsMax) are allowed"
            case .badLease(let seconds):
                "a lease of \(seconds) s; it may have \(leaseSeconds.lowerBound) to \(leaseSeconds.upperBound)"
            }
        }
    }

    private struct Hold: Hashable, Codable {
        var name: ProtocolName?
        var end: Duration?
    }

    private struct Claim: Hashable, Codable {
        var application: ApplicationID
        var holds: [Version: Hold]
    }

    private var claims: [TransportPort: Claim] = [:]

    /// A registry without ports.
    public init() {}

    // MARK: Changes

    /// Registers ports for a version, all or none (portmap's SET). What the version had registered before of these is
    /// replaced, its lease included.
    ///
    /// - Parameters:
    ///   - listed: the ports that the version's release lists.
    ///   - seconds: the lease; `nil`: until the environment ends.
    public mutating func register(
        _ ports: [TransportPort], as name: ProtocolName?, for holder: Holder, listed: [TransportPort],
        lease seconds: UInt32?, at now: Duration
    ) throws(Refusal) {
        try Self.check(ports, seconds)
        expire(at: now)
        for port in ports {
            if let claim = claims[port], claim.application != holder.application {
                throw .taken(port, by: claim.application)
            }
            guard listed.contains(port) else { throw .notListed(port, holder.version) }
        }
        let hold = Hold(name: name, end: seconds.map { now + .seconds(Int64($0)) })
        for port in ports {
            claims[port, default: Claim(application: holder.application, holds: [:])].holds[holder.version] = hold
        }
    }

    /// Gives leases new time, all or none. A hold without a lease gets one.
    public mutating func renew(
        _ ports: [TransportPort], by holder: Holder, lease seconds: UInt32, at now: Duration
    ) throws(Refusal) {
        try Self.check(ports, seconds)
        expire(at: now)
        try checkHeld(ports, by: holder)
        for port in ports { claims[port]?.holds[holder.version]?.end = now + .seconds(Int64(seconds)) }
    }

    /// Gives ports back, all or none (portmap's UNSET).
    public mutating func unregister(_ ports: [TransportPort], by holder: Holder, at now: Duration) throws(Refusal) {
        try Self.check(ports, nil)
        expire(at: now)
        try checkHeld(ports, by: holder)
        for port in ports { release(port, holder.version) }
    }

    /// A version is gone for good, and so are its holds.
    ///
    /// - Returns: whether it had any.
    @discardableResult
    public mutating func end(_ holder: Holder) -> Bool {
        let held = claims.filter { $0.value.application == holder.application && $0.value.holds[holder.version] != nil }
        for port in held.keys { release(port, holder.version) }
        return !held.isEmpty
    }

    /// Takes back what was leased until now or earlier.
    ///
    /// - Returns: what ended, by port and version.
    @discardableResult
    public mutating func expire(at now: Duration) -> [Entry] {
        let ended = entries.filter { entry in entry.end.map { $0 <= now } ?? false }
        for entry in ended { release(entry.port, entry.holder.version) }
        return ended
    }

    // MARK: Questions

    /// When the next lease ends; `nil`: none does.
    public var nextEnd: Duration? { claims.values.flatMap { $0.holds.values }.compactMap(\.end).min() }

    /// The ports of an application.
    public func ports(of application: ApplicationID) -> Set<TransportPort> {
        Set(claims.filter { $0.value.application == application }.keys)
    }

    /// All holds, by port and version (portmap's DUMP).
    public var entries: [Entry] {
        claims.sorted { $0.key < $1.key }.flatMap { port, claim in
            claim.holds.sorted { $0.key < $1.key }.map { version, hold in
                Entry(port: port, holder: Holder(claim.application, version), name: hold.name, end: hold.end)
            }
        }
    }

    /// The holds that fit all that is asked for (portmap's GETPORT); `nil` fits everything.
    public func entries(
        of application: ApplicationID?, named name: ProtocolName?, over transport: TransportProtocol?
    ) -> [Entry] {
        entries.filter { entry in
            (application ?? entry.holder.application) == entry.holder.application
                && (name == nil || name == entry.name) && (transport ?? entry.port.transport) == entry.port.transport
        }
    }

    // MARK: Parts

    private static func check(_ ports: [TransportPort], _ lease: UInt32?) throws(Refusal) {
        guard !ports.isEmpty else { throw .nothing }
        guard ports.count <= requestPortsMax else { throw .tooMany(ports.count) }
        if let lease, !leaseSeconds.contains(lease) { throw .badLease(lease) }
    }

    private func checkHeld(_ ports: [TransportPort], by holder: Holder) throws(Refusal) {
        for port in ports {
            guard let claim = claims[port], claim.application == holder.application,
                claim.holds[holder.version] != nil
            else { throw .notHeld(port) }
        }
    }

    private mutating func release(_ port: TransportPort, _ version: Version) {
        claims[port]?.holds[version] = nil
        if claims[port]?.holds.isEmpty == true { claims[port] = nil }
    }
}
