extension ReleaseManifest {
    /// The bounds of a manifest, one name each.
    public enum Limits {
        /// Layers of one release.
        public static let layersMax = 64
        /// Bytes of one layer: 8 GiB.
        public static let layerBytesMax: UInt64 = 8 << 30
        /// Ports of one release, of peers and clients together.
        public static let portsMax = 32
        /// Bytes of the name of a clients' Unix socket: the path, 107 bytes at most, needs room for the node's directory.
        public static let socketNameBytesMax = 48
        /// Words of one command.
        public static let commandWordsMax = 64
        /// Bytes of one word of a command.
        public static let commandWordBytesMax = 4096
        /// Variables of a version's environment.
        public static let variablesMax = 128
        /// Bytes of all of them together, so that they fit into one message to an agent.
        public static let variablesBytesMax = 32 << 10
        /// Bytes of a path.
        public static let pathBytesMax = 1024
        /// Bytes of the version's name.
        public static let nameBytesMax = 64
        /// Bytes of the name of a package, and of its version.
        public static let packageBytesMax = 256
        /// Bytes that a release may ask for of anything: a tebibyte.
        public static let needsBytesMax: UInt64 = 1 << 40
        /// Records or bytes that a migration may be allowed a second.
        public static let migrationRateMax = 1 << 40
        /// Health checks that may fail in a row.
        public static let healthFailuresMax = 1000
        /// The longest time that any field may ask for: thirty days.
        public static let millisecondsMax = 30 * 24 * 3600 * 1000
    }

    /// Checks every rule that the types alone do not hold. The first one broken is reported.
    ///
    /// - Throws: ``ManifestError``, with the field and how to mend it.
    public func validate() throws(ManifestError) {
        guard format == formatNeeded else {
            throw ManifestError(
                .unsupported, "format", "\(format) is not known here, only 1 to \(Self.formatCurrent) as needed",
                remedy: "upgrade VersionKit on this node, or make the release with an older versionctl")
        }
        try Self.check(text: name, field: "name", bytesMax: Limits.nameBytesMax)
        if let replaces, replaces >= version {
            throw ManifestError(
                .conflict, "replaces", "version \(version) cannot replace version \(replaces)",
                remedy: "name an older version, or leave the key out for the first version")
        }
        try ports.validate()
        try validateLayers()
        try Self.check(command: start, field: "start")
        try startSettings?.validate()
        try healthCheck.validate()
        if let proxy { try Self.check(command: proxy, field: "proxy") }
        if let migrator { try Self.check(command: migrator, field: "migrator") }
        try retirement.validate()
        if retirement.replay == true, (method ?? .sideBySide) != .sideBySide {
            throw ManifestError(
                .conflict, "retirement.replay", "of an upgrade in place nothing is logged",
                remedy: "leave the key out, or use the method side-by-side")
        }
        try spread?.validate()
        if let configurationPath { try Self.check(path: configurationPath, field: "configurationPath") }
        if let dataPath { try Self.check(path: dataPath, field: "dataPath") }
        try validateMethod()
        try validateNeeds()
        try validateMigration()
        if let isolation {
            try Self.check(isolation.count, field: "isolation", unit: "kinds", in: 1...IsolationKind.known.count)
            for kind in isolation where !IsolationKind.known.contains(kind) {
                throw ManifestError(
                    .unsupported, "isolation", "'\(kind)' is no kind of environment that is known here",
                    remedy: "use \(IsolationKind.known.map(\.rawValue).joined(separator: ", ")), or upgrade VersionKit")
            }
        }
    }

    private func validateLayers() throws(ManifestError) {
        try Self.check(layers.count, field: "layers", unit: "layers", in: 1...Limits.layersMax)
        var seen: Set<Digest> = []
        for (index, layer) in layers.enumerated() {
            let field = "layers[\(index)]"
            guard seen.insert(layer.digest).inserted else {
                throw ManifestError(
                    .conflict, field, "\(layer.digest) is listed twice", remedy: "list each layer once")
            }
            guard layer.size > 0, layer.size <= Limits.layerBytesMax else {
                throw ManifestError(
                    .outOfBounds, "\(field).size", "\(layer.size) is not within 1...\(Limits.layerBytesMax) bytes",
                    remedy: "split the files over several layers")
            }
            guard Layer.mediaTypes.contains(layer.mediaType) else {
                throw ManifestError(
                    .unsupported, "\(field).mediaType", "\"\(layer.mediaType.prefix(80))\" is not known here",
                    remedy: "use \(Layer.mediaTypes.map { "\"\($0)\"" }.joined(separator: ", "))")
            }
            try Self.validate(unpackedSize: layer, field: field)
            if let package = layer.package {
                try Self.check(text: package.name, field: "\(field).package.name", bytesMax: Limits.packageBytesMax)
                try Self.check(
                    text: package.version, field: "\(field).package.version", bytesMax: Limits.packageBytesMax)
            }
        }
    }

    private static func validate(unpackedSize layer: Layer, field: String) throws(ManifestError) {
        guard layer.isCompressed else {
            guard layer.unpackedSize == nil, layer.chunks == nil else {
                throw ManifestError(
                    .conflict, field, "it is not compressed, and has a size when unpacked or a list of chunks",
                    remedy: "leave out unpackedSize and chunks")
            }
            return
        }
        guard let size = layer.unpackedSize, size > 0, size <= Limits.layerBytesMax else {
            throw ManifestError(
                .outOfBounds, "\(field).unpackedSize",
                "\(layer.unpackedSize.map(String.init) ?? "nothing") is not within 1...\(Limits.layerBytesMax) bytes",
                remedy: "split the files over several layers")
        }
    }
}

extension ReleaseManifest.Ports {
    fileprivate func validate() throws(ManifestError) {
        try ReleaseManifest.check(
            peer.count + client.count, field: "ports", unit: "ports", in: 1...ReleaseManifest.Limits.portsMax)
        var roles: [ReleaseManifest.ClientPort: String] = [:]
        for (index, port) in peer.enumerated() {
            let field = "ports.peer[\(index)]"
            try ReleaseManifest.check(port: port.number, field: field)
            try Self.note(
                port.transport == .tcp ? .tcp(port.number) : .udp(port.number), as: "ports.peer", field: field,
                in: &roles)
        }
        for (index, port) in client.enumerated() {
            let field = "ports.client[\(index)]"
            try ReleaseManifest.check(port: port.versionPort, field: port.isUnix ? field + ".port" : field)
            if case .unix(let name, let port) = port {
                try Self.check(socket: name, field: field + ".unix")
                // The version router keeps clients away from ports of peers.
                if peer.contains(.tcp(port)) {
                    throw ManifestError(
                        .conflict, field + ".port", "port \(port) is already in ports.peer",
                        remedy: "have the version serve its clients on a port of their own")
                }
            }
            try Self.note(port.place, as: "ports.client", field: field, in: &roles)
        }
    }

    private static func note(
        _ port: ReleaseManifest.ClientPort, as role: String, field: String,
        in roles: inout [ReleaseManifest.ClientPort: String]
    ) throws(ManifestError) {
        guard let earlier = roles.updateValue(role, forKey: port) else { return }
        var words = port.description
        if case .tcp(let number) = port { words = "port \(number)" }
        throw ManifestError(
            .conflict, field, "\(words) is already in \(earlier)",
            remedy: "list each port once, either for peers or for clients")
    }

    /// The name becomes that of a file which the node makes and removes with its own rights.
    private static func check(socket name: String, field: String) throws(ManifestError) {
        try ReleaseManifest.check(text: name, field: field, bytesMax: ReleaseManifest.Limits.socketNameBytesMax)
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isPlain, name.utf8.first != UInt8(ascii: ".") else {
            throw ManifestError(
                .badPath, field, "\"\(name)\" is not the name of a socket",
                remedy:
                    "use letters, digits, \".\", \"-\" and \"_\", not beginning with \".\"; the node chooses the directory"
            )
        }
    }
}

extension ReleaseManifest.ClientPort {
    fileprivate var isUnix: Bool {
        if case .unix = self { true } else { false }
    }

    /// The port by what the node opens, wherever it leads to.
    fileprivate var place: Self {
        if case .unix(let name, _) = self { .unix(name: name, port: 0) } else { self }
    }
}

extension StartSettings {
    fileprivate func validate() throws(ManifestError) {
        typealias Limits = ReleaseManifest.Limits
        try ReleaseManifest.check(
            environment.count, field: "startSettings.environment", unit: "variables", in: 0...Limits.variablesMax)
        try ReleaseManifest.check(
            environment.reduce(0) { $0 + $1.utf8.count }, field: "startSettings.environment", unit: "bytes",
            in: 0...Limits.variablesBytesMax)
        for (index, variable) in environment.enumerated() {
            let name = variable.utf8.prefix { $0 != UInt8(ascii: "=") }
            guard !name.isEmpty, name.count < variable.utf8.count,
                !variable.utf8.contains(where: { [0, 9, 10].contains($0) })
            else {
                throw ManifestError(
                    .outOfBounds, "startSettings.environment[\(index)]", "is not NAME=value in one line without tabs",
                    remedy: "set it in a script that starts the application")
            }
        }
        if let workingDirectory {
            try ReleaseManifest.check(path: workingDirectory, field: "startSettings.workingDirectory")
        }
    }
}

extension ReleaseManifest.Retirement {
    fileprivate func validate() throws(ManifestError) {
        guard messagesPerSecond.isFinite, messagesPerSecond >= 0 else {
            throw ManifestError(
                .outOfBounds, "retirement.messagesPerSecond", "\(messagesPerSecond) is not a rate",
                remedy: "use a number that is not negative")
        }
        try ReleaseManifest.check(
            periodMilliseconds, field: "retirement.periodMilliseconds", unit: "ms",
            in: 1...ReleaseManifest.Limits.millisecondsMax)
    }
}

extension StagedSpread {
    fileprivate func validate() throws(ManifestError) {
        try ReleaseManifest.check(canaryPercent, field: "spread.canaryPercent", unit: "percent", in: 0...100)
        try ReleaseManifest.check(
            observationMilliseconds, field: "spread.observationMilliseconds", unit: "ms",
            in: 1...ReleaseManifest.Limits.millisecondsMax)
        try ReleaseManifest.check(promotions, field: "spread.promotions", unit: "nodes", in: 1...Self.promotionsMax)
    }
}

// MARK: - Rules shared by several fields

extension ReleaseManifest {
    static func check(
        _ value: Int, field: String, unit: String, in bounds: ClosedRange<Int>
    ) throws(ManifestError) {
        guard bounds.contains(value) else {
            throw ManifestError(
                .outOfBounds, field, "\(value) \(unit)",
                remedy: "use \(bounds.lowerBound) to \(bounds.upperBound) \(unit)")
        }
    }

    static func check(port: UInt16, field: String) throws(ManifestError) {
        guard port > 0 else {
            throw ManifestError(.outOfBounds, field, "0 is not a port", remedy: "use 1 to 65535")
        }
    }

    static func check(text: String, field: String, bytesMax: Int) throws(ManifestError) {
        try check(text.utf8.count, field: field, unit: "bytes", in: 1...bytesMax)
        // Names and paths end up in logs, terminals and file names.
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) else {
            throw ManifestError(
                .outOfBounds, field, "holds control characters", remedy: "use printable characters only")
        }
    }

    static func check(command: [String], field: String) throws(ManifestError) {
        try check(command.count, field: field, unit: "words", in: 1...Limits.commandWordsMax)
        // Nobody's PATH decides which program runs.
        try check(path: command[0], field: "\(field)[0]")
        for (index, word) in command.enumerated().dropFirst() {
            try check(
                word.utf8.count, field: "\(field)[\(index)]", unit: "bytes", in: 0...Limits.commandWordBytesMax)
            guard !word.utf8.contains(0) else {
                throw ManifestError(
                    .outOfBounds, "\(field)[\(index)]", "holds a zero byte, which no argument can",
                    remedy: "remove it")
            }
        }
    }

    static func check(path: String, field: String) throws(ManifestError) {
        try check(text: path, field: field, bytesMax: Limits.pathBytesMax)
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw ManifestError(
                .badPath, field, "\"\(path)\" is relative", remedy: "use an absolute path, beginning with \"/\"")
        }
        guard !path.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("..".utf8) }) else {
            throw ManifestError(
                .badPath, field, "\"\(path)\" leads upwards", remedy: "write the path without \"..\"")
        }
    }
}
