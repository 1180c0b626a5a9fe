package import ExampleFleet
package import VersionKitTestbed

/// Hosts with versiond on one network, and CFS' releases for them.
package struct CFSFleet: Sendable {
    package static let application = "cfs"
    /// By UDP, for other nodes; routers speak to each other at the TCP port of that number.
    package static let nodePort: UInt16 = 4000
    /// By TCP, for clients.
    package static let gatewayPort: UInt16 = 4001
    /// Where a node within an environment keeps its blocks.
    package static let dataPath = "/var/lib/cfs"
    /// The socket beside the blocks by which a node is looked into.
    package static let controlName = "control.sock"
    private static let programPath = "/opt/cfs"
    /// Messages a second with which an old node counts as unused: more than there are. The nodes of a ring talk to each other
    /// as long as there is one, and writes go to both; that nobody needs it is known by its clients and peers.
    private static let chatter = 1_000_000

    /// How many hosts there are, 1 to 200.
    package let hosts: Int
    /// How many times as often as in 2004 nodes look after the ring: it is small, and there is not a day to wait.
    package let pace: Int
    /// What each host's cable does.
    package let link: Link

    package init(hosts: Int, pace: Int = 20, link: Link = .direct) {
        self.hosts = hosts
        self.pace = pace
        self.link = link
    }

    /// The network of all hosts.
    package var plan: TestbedPlan {
        var plan = TestbedPlan()
        plan.segment("office")
        for host in 1...hosts { plan.host(Self.name(host), address: Self.address(host), on: "office", link: link) }
        return plan
    }

    /// The hosts are numbered from 1 on; all join the ring through the first one.
    package static func name(_ host: Int) -> String { "n\(host)" }
    package static func address(_ host: Int) -> String { "10.99.0.\(host)" }
    /// The program of a generation's nodes.
    package static func program(_ generation: Int) -> String { generation == 1 ? "cfs-lsd" : "cfs-lsd\(generation)" }
    /// Where a host's clients find the gateway.
    package static func gateway(_ host: Int) -> String { "\(address(host)):\(gatewayPort)" }

    /// What a host's node is told.
    private func options(_ number: Int, data: String, boundTo bound: String) -> String {
        """
        --address \(Self.address(number)) --join \(Self.address(1)):\(Self.nodePort)
        --bind \(bound) --port \(Self.nodePort) --gateway-port \(Self.gatewayPort)
        --directory \(data) --control \(data)/\(Self.controlName) --pace \(pace)
        """
    }

    /// Starts a node on a host without versiond: what VersionKit is compared with.
    package func startNode(
        _ generation: Int, _ number: Int, on host: TestbedHost, programs: String, directory: String
    ) throws -> HostProcess {
        let data = "\(directory)/\(host.name)"
        try makeDirectory(data)
        let options = options(number, data: data, boundTo: Self.address(number))
        return try host.spawn(
            "\(programs)/\(Self.program(generation))", options.split(whereSeparator: \.isWhitespace).map(String.init),
            output: .file(data + "/log"))
    }

    /// Starts versiond on a host.
    package func start(
        _ number: Int, on host: TestbedHost, programs: String, directory: String, key: String, settings: [String] = []
    ) throws -> ManagedHost {
        let place = "\(directory)/\(host.name)"
        try makeDirectory(place)
        try makeDirectory(place + "/cfs")
        let options = options(number, data: Self.dataPath, boundTo: "0.0.0.0")
        try write("# What differs from host to host.\n\(options)\n", to: place + "/cfs/lsd.options")
        return try ManagedHost.start(
            host, application: Self.application, key: key, programs: programs, directory: place,
            configuration: place + "/cfs", settings: settings)
    }

    /// Makes the signed release of a generation; its directory.
    ///
    /// - Parameter retirementPeriod: milliseconds without need of the old generation after which it retires.
    package func makeRelease(
        _ generation: Int, in workshop: Workshop, retirementPeriod: Int
    ) async throws -> String {
        let files = "files-cfs-\(generation)"
        let node = Self.program(generation)
        try await workshop.copyPrograms(
            [node, "cfs-proxy", "cfs-migrate"], to: "\(workshop.directory)/\(files)\(Self.programPath)")
        return try await workshop.makeRelease(
            "cfs-\(generation)",
            description: """
                {
                  "application": "\(Self.application)", "version": \(generation), "name": "\(generation).0",
                  \(generation > 1 ? "\"replaces\": \(generation - 1)," : "")
                  "ports": { "peer": [\(Self.nodePort), { "udp": \(Self.nodePort) }], "client": [\(Self.gatewayPort)], "peersBeforeServe": true },
                  "files": "\(files)",
                  "start": ["\(Self.programPath)/\(node)", "-O", "/etc/cfs/lsd.options"],
                  "health": {
                    "port": \(Self.gatewayPort), "intervalMilliseconds": 100, "startupTimeoutMilliseconds": 60000
                  },
                  "proxy": "\(Self.programPath)/cfs-proxy",
                  "migrator": "\(Self.programPath)/cfs-migrate",
                  "retirement": { "messagesPerSecond": \(Self.chatter), "periodMilliseconds": \(retirementPeriod) },
                  "configurationPath": "/etc/cfs", "dataPath": "\(Self.dataPath)"
                }

                """)
    }
}
