public import VersionKitModel
public import VersionKitWire

/// Where the bytes of managed applications go on this node: one immutable snapshot, read once per decision.
///
/// - Note: S 3.2; R5, R6, R8.
public struct RoutingTable: Sendable, Equatable {
    /// What the router knows of one application on this node.
    public struct Application: Sendable, Equatable {
        /// The ports that its server-to-server protocol uses.
        public var ports: Set<TransportPort>
        /// The addresses of each version's environment.
        public var versions: [Version: HostAddresses]
        /// The versions that peers hear of and reach: those which serve, their state being complete.
        public var advertised: Set<Version>
        /// The versions that peers reach although they do not hear of them yet, as their releases want it.
        public var early: Set<Version>
        /// Who gets the connections of peers that have no router; `nil`: the oldest version that serves.
        public var plainVersion: Version?
        /// What tells the versions apart if the application does so itself; then it gets no headers.
        public var filter: PrefixFilter?
        /// Ports of this host that lead straight to a version, by registered port: peers hear of them in headers.
        public var directPorts: [Version: [TransportPort: VersionHeader.DirectPort]] = [:]
        /// Peers that are known to have no router: datagrams to them go without a header.
        public var plainPeers: Set<IPAddress> = []
        /// Whether a version's peers reach it here.
        ///
        /// One that does not serve yet has not all of its state: its peers are better off without its answer, unless its release
        /// says otherwise.
        public func isReachable(_ version: Version) -> Bool { advertised.contains(version) || early.contains(version) }

        /// Whether its versions recognise their own kind by themselves: then datagrams, which have no beginning to tell by,
        /// have no header, and each version gets what comes.
        var identifiesVersions: Bool { filter != nil }

        /// An application of which nothing runs yet.
        public init(
            ports: Set<TransportPort> = [], versions: [Version: HostAddresses] = [:], advertised: Set<Version> = [],
            early: Set<Version> = [], plainVersion: Version? = nil, filter: PrefixFilter? = nil
        ) {
            self.ports = ports
            self.versions = versions
            self.advertised = advertised
            self.early = early
            self.plainVersion = plainVersion
            self.filter = filter
        }
    }

    /// The managed applications.
    public private(set) var applications: [ApplicationID: Application]

    /// A table of these applications.
    public init(_ applications: [ApplicationID: Application] = [:]) {
        self.applications = applications
    }

    /// All registered ports: everything else is not the router's business (R8).
    public var ports: Set<TransportPort> { applications.values.reduce(into: []) { $0.formUnion($1.ports) } }

    /// Whose connection this is, seen at the address of its environment; `nil` for one that is not managed.
    public func sender(at source: IPAddress) -> (application: ApplicationID, version: Version)? {
        for (id, application) in applications {
            for (version, addresses) in application.versions where addresses.contains(source) { return (id, version) }
        }
        return nil
    }

    /// The header for the bytes of a version that runs here.
    ///
    /// The advertisement is any one of the other versions that serve here, so that in time a peer hears of all (R6).
    ///
    /// - Parameter port: the registered port that the bytes travel by; if a direct one leads to the same place, the header
    ///   says so.
    public func header(
        of application: ApplicationID, from version: Version, on port: TransportPort? = nil,
        using random: inout some RandomNumberGenerator
    ) -> VersionHeader {
        let known = applications[application]
        let others = (known?.advertised ?? []).subtracting([version]).sorted()
        var header = VersionHeader(
            application: application, sender: version, advertised: others.randomElement(using: &random))
        header.directPort = port.flatMap { known?.directPorts[version]?[$0] }
        return header
    }

    /// What is to be done with a connection of a peer.
    public enum Inbound: Sendable, Hashable {
        /// Hand it to this version. `header`: what the peer said, `nil` for a peer without a router.
        case deliver(ApplicationID, Version, to: Endpoint, header: VersionHeader?)
        /// A router asks for a release.
        case control(VersionHeader)
        /// Have this application's filter say to which version it goes; then ask ``filtered(_:of:on:)``.
        case filter(ApplicationID, PrefixFilter)
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
        /// The application's filter found no version for it.
        case noVersionFound

        public var description: String {
            switch self {
            case .invalidHeader(let fault): fault.rawValue
            case .unknownApplication: "unknown-application"
            case .versionNotRunning: "version-not-running"
            case .nothingRuns: "nothing-runs"
            case .noVersionFound: "no-version-found"
            }
        }
    }

    /// Decides on a connection to a registered port of this node.
    ///
    /// - Parameter family: by which kind of address the peer came; it is delivered by the same.
    /// - Precondition: `decoded` is not ``VersionHeader/Decoded/needMore``: then there is nothing to decide yet.
    public func inbound(
        _ decoded: VersionHeader.Decoded, on port: TransportPort, over family: IPAddress.Family
    ) -> Inbound {
        switch decoded {
        case .needMore: preconditionFailure("asked before the header was complete")
        case .invalid(let fault): return .refuse(.invalidHeader(fault), header: nil)
        case .absent:
            if let (id, application) = applications.first(where: { $0.value.ports.contains(port) }),
                let filter = application.filter
            {
                return .filter(id, filter)
            }
            return plain(on: port, over: family)
        case .header(let header, _):
            if header.flags.contains(.control) { return .control(header) }
            guard let application = applications[header.application], application.ports.contains(port) else {
                return .refuse(.unknownApplication, header: header)
            }
            guard let version = header.sender, application.isReachable(version),
                let address = application.versions[version]?[family]
            else { return .refuse(.versionNotRunning, header: header) }
            let endpoint = Endpoint(address: address, port: port.number)
            return .deliver(header.application, version, to: endpoint, header: header)
        }
    }

    /// Decides on a connection of which a filter said this.
    ///
    /// - Precondition: `verdict` is not ``PrefixFilter/Verdict/needMore``.
    public func filtered(
        _ verdict: PrefixFilter.Verdict, of application: ApplicationID, on port: TransportPort,
        over family: IPAddress.Family
    ) -> Inbound {
        guard case .version(let version) = verdict else { return .refuse(.noVersionFound, header: nil) }
        guard let known = applications[application], known.isReachable(version),
            let address = known.versions[version]?[family]
        else { return .refuse(.versionNotRunning, header: nil) }
        return .deliver(application, version, to: Endpoint(address: address, port: port.number), header: nil)
    }

    /// Where a connection goes that says nothing by which its version could be told.
    public func plain(on port: TransportPort, over family: IPAddress.Family) -> Inbound {
        guard let (id, application) = applications.first(where: { $0.value.ports.contains(port) }) else {
            return .refuse(.unknownApplication, header: nil)
        }
        guard let version = application.plainVersion ?? application.advertised.min(),
            let address = application.versions[version]?[family]
        else { return .refuse(.nothingRuns, header: nil) }
        return .deliver(id, version, to: Endpoint(address: address, port: port.number), header: nil)
    }
}
