public import VersionKitModel

/// What the developer of an application writes about a release, in `release.json`:
///
///     {
///         "application": "irislog", "version": 2, "name": "2.0", "replaces": 1,
///         "ports": { "peer": [6000], "client": [6001] },
///         "files": "root",
///         "start": ["/usr/bin/irislogd", "--port", "6000"],
///         "health": { "port": 6001 },
///         "proxy": "/usr/bin/irislog-proxy",
///         "migrator": "/usr/bin/irislog-migrate",
///         "retirement": { "messagesPerSecond": 0.1, "periodMilliseconds": 60000 },
///         "configurationPath": "/etc/irislog", "dataPath": "/var/lib/irislog"
///     }
///
/// `"health": { "kind": "http", "port": 80, "path": "/health" }` asks for more than a connection, and
/// `{ "kind": "command", "command": ["/usr/bin/check"] }` runs a program inside; `"steady": { "failures": 3,
/// "intervalMilliseconds": 5000 }` goes on with it while the version serves: docs/pipeline.md.
///
/// `"method": "package"` or `"checkpoint"` has the older version stopped before this one starts: docs/pipeline.md.
///
/// `"needs": { "diskBytes": 200000000, "memoryBytes": 100000000 }` is what a node has to have free before it begins.
///
/// `"limits": { "memoryBytes": 500000000, "processors": 1.5, "tasks": 200, "diskBytes": 1000000000 }` is the most that it may use.
///
/// `"migration": { "recordsPerSecond": 1000, "bytesPerSecond": 1000000 }` bounds how quickly state is copied.
///
/// A client port that is a number is TCP. `{ "udp": 6001 }` is a UDP port. `{ "unix": "irislog.sock", "port": 6001 }` is a
/// Unix socket in the directory that the node has for the application's sockets; its clients reach TCP port 6001 of
/// the version.
///
/// `files` is a directory beside the description, or a list of them, lowest layer first; an entry that is a file is
/// taken as a tar archive made by other means.
///
/// `"image": "app.tar"` names an image in OCI layout, a directory or a tar archive of one, whose layers are below `files`.
/// `"debs": ["redis.deb"]` names Debian packages, each of which becomes a layer above the image's and below `files`. Nothing
/// of their scripts is run.
///
/// With an image or packages `files` may be left out, with an image `start`, `"user": "app:staff"`, `"environment": ["MODE=fast"]` and
/// `"workingDirectory": "/srv"`, too, which are the image's. Without an image a user is named by numbers.
public struct ReleaseDescription: Sendable, Equatable {
    /// The file that the description was read from, for messages.
    public var file: String
    /// The directory that ``files`` are relative to.
    public var directory: String
    /// Directories or tar archives with the files of the release, lowest layer first.
    public var files: [String]
    /// An image in OCI layout, a directory or a tar archive: its layers are below ``files``, and it says what the
    /// description leaves out of the command and of what follows here.
    public var image: String?
    /// Debian packages, the lowest layer first: above the image's layers, and below ``files``.
    public var debs: [String] = []
    /// Whom the version runs as: a number or a name of the image's, with a group behind a colon.
    public var user: String?
    /// Variables of the version's environment, `NAME=value`.
    public var environment: [String]?
    /// The directory that the version starts in.
    public var workingDirectory: String?
    /// Everything else, as it goes into the manifest: only the layers are not known yet.
    public var manifest: ReleaseManifest

    /// A description made in code.
    ///
    /// - Parameter manifest: The manifest to be, with no layers.
    public init(manifest: ReleaseManifest, files: [String], directory: String, file: String = "release.json") {
        self.manifest = manifest
        self.files = files
        self.directory = directory
        self.file = file
    }

    /// Reads a description.
    ///
    /// - Parameter image: the path of an image, in place of the one that the description names.
    /// - Throws: ``ReleaseError`` that names the file and the key that is wrong, missing or unknown.
    public init(contentsOf path: String, image: String? = nil) throws(ReleaseError) {
        let bytes = try Disk.readFile(path, bytesMax: ReleaseLimits.standard.manifestBytesMax)
        try self.init(jsonBytes: bytes, file: path, directory: Disk.parent(of: path), image: image)
    }

    /// Reads a description from bytes.
    ///
    /// - Parameter image: the absolute path of an image, in place of the one that the description names.
    public init(jsonBytes: [UInt8], file: String, directory: String, image: String? = nil) throws(ReleaseError) {
        let value: JSONValue
        do throws(ReleaseError) {
            value = try JSON.decode(JSONValue.self, from: jsonBytes, what: file)
        } catch {
            let place = JSONSyntax.mistake(in: jsonBytes)
            throw ReleaseError(
                .badDescription, place.map { "\(file): not JSON, at \($0)" } ?? error.message, side: .publisher,
                remedy: "check commas, quotes and brackets")
        }
        let reader = try DescriptionReader(value, file: file, keys: Self.keys)
        self.file = file
        self.directory = directory
        let described = try reader.optionalString("image", "an image in OCI layout: a directory or a tar archive")
        self.image = image ?? described
        let hasImage = self.image != nil
        let filesWords = "a directory with the files of the release, or a list of them"
        debs = try reader.strings("debs", "a Debian package, or a list of them", canBeMissing: true)
        files = try reader.strings("files", filesWords, canBeMissing: hasImage || !debs.isEmpty)
        user = try reader.optionalString("user", "a user's number, or its name in the image, \"1000:1000\"")
        environment = try reader.optionalStrings("environment", "a list of variables, [\"NAME=value\"]")
        workingDirectory = try reader.optionalString("workingDirectory", "an absolute path")
        manifest = try Self.manifest(from: reader, file: file, hasImage: hasImage)
    }
}

extension ReleaseDescription {
    static let keys = [
        "application", "version", "name", "replaces", "ports", "debs", "files", "start", "health", "proxy", "migrator",
        "retirement", "configurationPath", "dataPath", "isolation", "image", "user", "environment",
        "workingDirectory", "spread", "method", "needs", "limits", "migration", "expires",
    ]

    private static let versionWords = "a version's number, 1 or greater"
    static let millisecondsWords = "a number of milliseconds, 1 or greater"
    static let programWords = "a list: the absolute path of a program among the files, then its arguments"

    private static func manifest(
        from reader: DescriptionReader, file: String, hasImage: Bool
    ) throws(ReleaseError) -> ReleaseManifest {
        let ports = try reader.object("ports", keys: ["peer", "client", "peersBeforeServe"])
        let number = try reader.integer("version", versionWords, in: 1...Int(UInt32.max))
        var manifest = ReleaseManifest(
            application: try application(from: reader, file: file),
            version: try version(number, file: file),
            name: try reader.optionalString("name", "what people call the version, \"2.0\"") ?? "\(number)",
            replaces: try reader.optionalInteger("replaces", versionWords, in: 1...Int(UInt32.max))
                .map { (number) throws(ReleaseError) in try version(number, file: file) },
            ports: .init(
                peer: try ports.peerPorts("peer"), client: try ports.clientPorts("client"),
                peersBeforeServe: try ports.optionalBool("peersBeforeServe")),
            layers: [],
            // Empty: the image's.
            start: try reader.strings("start", programWords, canBeMissing: hasImage),
            healthCheck: try healthCheck(from: reader),
            proxy: try reader.optionalStrings("proxy", programWords),
            migrator: try reader.optionalStrings("migrator", programWords),
            retirement: try retirement(from: reader),
            spread: try spread(from: reader),
            configurationPath: try reader.optionalString("configurationPath", "an absolute path"),
            dataPath: try reader.optionalString("dataPath", "an absolute path"),
            isolation: try reader.optionalStrings("isolation", "a list of kinds of environments, [\"oci\", \"uml\"]")?
                .map(IsolationKind.init(rawValue:)),
            expires: try expires(from: reader, file: file))
        manifest.method = try reader.optionalString("method", "\"side-by-side\", \"package\" or \"checkpoint\"")
            .map(ReleaseManifest.Method.init(rawValue:))
        if let needs = try reader.optionalObject("needs", keys: ["diskBytes", "memoryBytes"]) {
            let bytes = 0...Int(ReleaseManifest.Limits.needsBytesMax)
            manifest.needs = .init(
                diskBytes: try needs.optionalInteger("diskBytes", "a number of bytes", in: bytes).map(UInt64.init),
                memoryBytes: try needs.optionalInteger("memoryBytes", "a number of bytes", in: bytes).map(UInt64.init))
        }
        manifest.limits = try limits(from: reader)
        if let rate = try reader.optionalObject("migration", keys: ["recordsPerSecond", "bytesPerSecond"]) {
            let numbers = 1...ReleaseManifest.Limits.migrationRateMax
            manifest.migration = .init(
                recordsPerSecond: try rate.optionalInteger("recordsPerSecond", "a number, 1 or greater", in: numbers),
                bytesPerSecond: try rate.optionalInteger("bytesPerSecond", "a number, 1 or greater", in: numbers))
        }
        return manifest
    }

    private static func limits(from reader: DescriptionReader) throws(ReleaseError) -> ResourceLimits? {
        let keys = ["memoryBytes", "processors", "tasks", "diskBytes"]
        guard let limits = try reader.optionalObject("limits", keys: keys) else { return nil }
        let bytes = 1...Int(ReleaseManifest.Limits.needsBytesMax)
        return ResourceLimits(
            memoryBytes: try limits.optionalInteger("memoryBytes", "a number of bytes", in: bytes).map(UInt64.init),
            processors: try limits.optionalNumber("processors", "a number of processors, 1.5"),
            tasks: try limits.optionalInteger(
                "tasks", "a number of processes and threads", in: 1...ReleaseManifest.Limits.tasksMax),
            diskBytes: try limits.optionalInteger("diskBytes", "a number of bytes", in: bytes).map(UInt64.init))
    }

    private static func expires(from reader: DescriptionReader, file: String) throws(ReleaseError) -> UTCTime? {
        let wanted = "a time, \"2027-03-31T12:00:00Z\""
        guard let text = try reader.optionalString("expires", wanted) else { return nil }
        guard let time = UTCTime(text) else {
            throw DescriptionReader.mistake(
                file, "\"expires\" is the text \"\(text.prefix(60))\"", remedy: "it should be \(wanted)")
        }
        return time
    }

    private static func application(
        from reader: DescriptionReader, file: String
    ) throws(ReleaseError) -> ApplicationID {
        let wanted = "a name out of a-z, 0-9 and -, beginning with a letter, of at most \(ApplicationID.lengthMax)"
        let text = try reader.string("application", wanted)
        guard let application = ApplicationID(rawValue: text) else {
            throw DescriptionReader.mistake(
                file, "\"application\" is the text \"\(text.prefix(60))\"", remedy: "it should be \(wanted)")
        }
        return application
    }

    private static func version(_ number: Int, file: String) throws(ReleaseError) -> Version {
        guard let number = UInt32(exactly: number), let version = Version(number) else {
            throw DescriptionReader.mistake(file, "\(number) is no version", remedy: "use \(versionWords)")
        }
        return version
    }

    private static func retirement(
        from reader: DescriptionReader
    ) throws(ReleaseError) -> ReleaseManifest.Retirement {
        var retirement = ReleaseManifest.Retirement()
        let keys = ["messagesPerSecond", "periodMilliseconds", "replay"]
        guard let rule = try reader.optionalObject("retirement", keys: keys) else { return retirement }
        if let rate = try rule.optionalNumber("messagesPerSecond", "a number, 0 or greater") {
            retirement.messagesPerSecond = rate
        }
        if let period = try rule.optionalInteger(
            "periodMilliseconds", millisecondsWords, in: 1...ReleaseManifest.Limits.millisecondsMax)
        {
            retirement.periodMilliseconds = period
        }
        retirement.replay = try rule.optionalBool("replay")
        return retirement
    }

    private static func spread(from reader: DescriptionReader) throws(ReleaseError) -> StagedSpread? {
        let keys = ["canaryPercent", "observationMilliseconds", "promotions"]
        guard let rule = try reader.optionalObject("spread", keys: keys) else { return nil }
        var spread = StagedSpread()
        if let percent = try rule.optionalInteger("canaryPercent", "0 to 100 of a hundred nodes", in: 0...100) {
            spread.canaryPercent = percent
        }
        if let time = try rule.optionalInteger(
            "observationMilliseconds", millisecondsWords, in: 1...ReleaseManifest.Limits.millisecondsMax)
        {
            spread.observationMilliseconds = time
        }
        if let promotions = try rule.optionalInteger(
            "promotions", "a number of nodes, 1 to \(StagedSpread.promotionsMax)", in: 1...StagedSpread.promotionsMax)
        {
            spread.promotions = promotions
        }
        return spread
    }
}
