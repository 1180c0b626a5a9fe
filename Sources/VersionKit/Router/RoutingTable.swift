public import VersionKitModel
public import VersionKitWire

/// Where the bytes of managed applications go on this node: one immutable snapshot, read once per decision.
///
/// - Note: S 3.2; R5, R6, R8.
public struct RoutingTable: Sendable, Equatable {
    /// What the router knows of one application on this node.
    public struct Application: Sendable, Equatable {
        /// The ports that its server-to-server protocol uses.
        public var ports: Set<UInt16>
        /// The address of each version's environment.
        public var versions: [Version: IPv4Address]
        /// The versions that peers hear of and reach: those which serve, their state being complete.
        public var advertised: Set<Version>
        /// Who gets the connections of peers that have no router; `nil`: the oldest version that serves.
        public var plainVersion: Version?

        /// An application of which nothing runs yet.
        public init(
            ports: Set<UInt16> = [], versions: [Version: IPv4Address] = [:], advertised: Set<Version> = [],
            plainVersion: Version? = nil
        ) {
            self.ports = ports
            self.versions = versions
            self.advertised = advertised
            self.plainVersion = plainVersion
        }
    }

    /// The managed applications.
    public private(set) var applications: [ApplicationID: Application]

    /// A table of these applications.
    public init(_ applications: [ApplicationID: Application] = [:]) {
        self.applications = applications
    }

    /// All registered ports: everything else is not the router's business (R8).
    public var ports: Set<UInt16> { applications.values.reduce(into: []) { $0.formUnion($1.ports) } }

    /// Whose connection this is, seen at the address of its environment; `nil` for one that is not managed.
    public func sender(at source: IPv4Address) -> (application: ApplicationID, version: Version)? {
        for (id, application) in applications {
            for (version, address) in application.versions where address == source { return (id, version) }
        }
        return nil
    }

    /// The header for the bytes of a version that runs here.
    ///
    /// The advertisement is any one of the other versions that serve here, so that in time a peer hears of all (R6).
    public func header(
        of application: ApplicationID, from version: Version, using random: inout some RandomNumberGenerator
    ) -> VersionHeader {
        let others = (applications[application]?.advertised ?? []).subtracting([version]).sorted()
        return VersionHeader(
            application: application, sender: version, advertised: others.randomElement(using: &random))
    }

    /// What is to be done with a connection of a peer.
    public enum Inbound: Sendable, Hashable {
        /// Hand it to this version. `header`: what the peer said, `nil` for a peer without a router.
        case deliver(ApplicationID, Version, to: Endpoint, header: VersionHeader?)
        /// A router asks for a release.
        case control(VersionHeader)
        /// Close it; the reason is counted and logged.
        case refuse(Refusal, header: VersionHeader?)
    }

    /// Why a peer's connection is not delivered.
    public enum Refusal: Sendable, Hashable, CustomStringConvertible {
        /// The header must not be obeyed.
        case invalidHeader(VersionHeader.Fault)
        /// The application is not managed here, or does not use this port.
        case unknownApplication
        /// The version does not serve here (yet, or any more).
        case versionNotRunning
        /// The peer has no router, and no version runs that it could speak to.
        case nothingRuns

        public var description: String {
            switch self {
            case .invalidHeader(let fault): fault.rawValue
            case .unknownApplication: "unknown-application"
            case .versionNotRunning: "version-not-running"
            case .nothingRuns: "nothing-runs"
            }
        }
    }

    /// Decides on a connection to a registered port of this node.
    ///
    /// - Precondition: `decoded` is not ``VersionHeader/Decoded/needMore``: then there is nothing to decide yet.
    public func inbound(_ decoded: VersionHeader.Decoded, on port: UInt16) -> Inbound {
        switch decoded {
        case .needMore: preconditionFailure("asked before the header was complete")
        case .invalid(let fault): return .refuse(.invalidHeader(fault), header: nil)
        case .absent: return plain(on: port)
        case .header(let header, _):
            if header.flags.contains(.control) { return .control(header) }
            guard let application = applications[header.application], application.ports.contains(port) else {
                return .refuse(.unknownApplication, header: header)
            }
            // A version that does not serve yet has not all of its state: its peers are better off without its answer.
            guard let version = header.sender, application.advertised.contains(version),
                let address = application.versions[version]
            else { return .refuse(.versionNotRunning, header: header) }
            let endpoint = Endpoint(address: address, port: port)
            return .deliver(header.application, version, to: endpoint, header: header)
        }
    }

    private func plain(on port: UInt16) -> Inbound {
        guard let (id, application) = applications.first(where: { $0.value.ports.contains(port) }) else {
            return .refuse(.unknownApplication, header: nil)
        }
        guard let version = application.plainVersion ?? application.advertised.min(),
            let address = application.versions[version]
        else { return .refuse(.nothingRuns, header: nil) }
        return .deliver(id, version, to: Endpoint(address: address, port: port), header: nil)
    }
}
