import VersionKitModel

/// What a domain is made from: a value, so that what a version gets can be told without a Xen host.
struct XenMachine: Sendable, Hashable {
    /// A virtual disk: an image on the node, and what the guest calls it.
    struct Disk: Sendable, Hashable {
        var image: String
        var device: String
        var isWritable = false
    }

    /// With less the kernel and its first file system do not fit, in bytes.
    static let memoryBytesMin: UInt64 = 96 << 20
    /// Xen gives a guest no more of it, in bytes.
    static let commandLineMax = 1023
    /// A guest's ramdisk knows disks by one letter.
    static let layersMax = 16

    var name: String
    var kernel: String
    var ramdisk: String
    var commandLine: String
    var memoryKibibytes: UInt64
    var processors: Int
    /// The most that all processors may use together, in hundredths of one.
    var processorPercent: Int?
    var usesHardware: Bool
    var disks: [Disk]
    var bridge: String
    var interfaceScript: String?
    var diskScript: String?

    /// - Parameter layers: how many there are: a domain that goes on from a snapshot has those of the snapshot.
    init(
        _ specification: EnvironmentSpecification, layers: Int, link: EnvironmentLink, place: XenPlace,
        settings: XenSettings
    ) throws(IsolationError) {
        guard (1...Self.layersMax).contains(layers) else {
            throw IsolationError("a Xen domain has 1 to \(Self.layersMax) layers, not \(layers)")
        }
        let limits = specification.limits
        name = Self.name(specification.name, settings)
        kernel = settings.kernel
        ramdisk = settings.ramdisk
        memoryKibibytes =
            max(limits.memoryBytes ?? settings.memoryBytes ?? XenSettings.memoryBytesDefault, Self.memoryBytesMin) >> 10
        processors = max(1, Int((limits.processors ?? 1).rounded(.up)))
        processorPercent = limits.processors.map { max(1, Int(($0 * 100).rounded())) }
        usesHardware = settings.usesHardware ?? false
        bridge = link.interface
        interfaceScript = settings.interfaceScript
        diskScript = settings.diskScript

        let written = [place.data] + (specification.dataPath == nil ? [] : [place.state])
        let images = (0..<layers).map(place.layer) + [place.tools] + written
        disks = images.enumerated().map { Disk(image: $1, device: Self.device($0), isWritable: written.contains($1)) }
        commandLine = try Self.commandLine(
            specification, layers: layers, link: link, further: settings.kernelArguments ?? [])
    }

    /// What the guest's first program (`scripts/xen/guest-init`) goes by. A kernel that fails ends the domain.
    private static func commandLine(
        _ specification: EnvironmentSpecification, layers: Int, link: EnvironmentLink, further: [String]
    ) throws(IsolationError) -> String {
        let lengths: [IPAddress.Family: Int] = [.v4: 30, .v6: 126]
        let addresses = link.addresses.all.map { "\($0)/\(lengths[$0.family] ?? 0)" }
        let ports = EphemeralPorts.environments
        var words = [
            "console=hvc0", "quiet", "panic=1", "vk.name=\(specification.name)", "vk.layers=\(layers)",
            "vk.tools=\(device(layers))", "vk.data=\(device(layers + 1))",
            "vk.address=\(addresses.joined(separator: ","))",
            "vk.gateway=\(link.gateways.all.map(\.description).joined(separator: ","))",
            "vk.mtu=\(EnvironmentLink.packetBytesMax)", "vk.ports=\(ports.lowerBound)-\(ports.upperBound)",
        ]
        if let path = specification.dataPath {
            guard !path.contains(where: { $0.isWhitespace || $0 == "\"" }) else {
                throw IsolationError("a domain's kernel cannot be told the data path '\(path)': use one without spaces")
            }
            words.append("vk.state=\(device(layers + 2)):\(path)")
        }
        if let tasks = specification.limits.tasks { words.append("vk.tasks=\(tasks)") }
        let line = (words + further).joined(separator: " ")
        guard line.utf8.count <= commandLineMax else {
            throw IsolationError(
                "the command line of the domain's kernel is too long: shorten the data path or kernelArguments")
        }
        return line
    }

    /// What an environment's domain is called.
    static func name(_ environment: String, _ settings: XenSettings) -> String {
        (settings.namePrefix ?? XenSettings.namePrefixDefault) + environment
    }

    private static func device(_ index: Int) -> String {
        "xvd" + String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index)))
    }
}
