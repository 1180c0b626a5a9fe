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
/// A client port that is a number is TCP. `{ "udp": 6001 }` is a UDP port. `{ "unix": "irislog.sock", "port": 6001 }` is a
/// Unix socket in the directory that the node has for the application's sockets; its clients reach TCP port 6001 of
/// the version.
///
/// `files` is a directory beside the description, or a list of them, lowest layer first; an entry that is a file is
/// taken as a tar archive made by other means.
public struct ReleaseDescription: Sendable, Equatable {
    /// The file that the description was read from, for messages.
    public var file: String
    /// The directory that ``files`` are relative to.
    public var directory: String
    /// Directories or tar archives with the files of the release, lowest layer first.
    public var files: [String]
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
    /// - Throws: ``ReleaseError`` that names the file and the key that is wrong, missing or unknown.
    public init(contentsOf path: String) throws(ReleaseError) {
        let bytes = try Disk.readFile(path, bytesMax: ReleaseLimits.standard.manifestBytesMax)
        try self.init(jsonBytes: bytes, file: path, directory: Disk.parent(of: path))
    }

    /// Reads a description from bytes.
    public init(jsonBytes: [UInt8], file: String, directory: String) throws(ReleaseError) {
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
        files = try reader.strings("files", "a directory with the files of the release, or a list of them")
        manifest = try Self.manifest(from: reader, file: file)
    }
}

extension ReleaseDescription {
    private static let keys = [
        "application", "version", "name", "replaces", "ports", "files", "start", "health", "proxy", "migrator",
        "retirement", "configurationPath", "dataPath",
    ]

    private static let versionWords = "a version's number, 1 or greater"
    private static let millisecondsWords = "a number of milliseconds, 1 or greater"
    private static let programWords = "a list: the absolute path of a program among the files, then its arguments"

    private static func manifest(
        from reader: DescriptionReader, file: String
    ) throws(ReleaseError) -> ReleaseManifest {
        let ports = try reader.object("ports", keys: ["peer", "client"])
        let number = try reader.integer("version", versionWords, in: 1...Int(UInt32.max))
        return ReleaseManifest(
            application: try application(from: reader, file: file),
            version: try version(number, file: file),
            name: try reader.optionalString("name", "what people call the version, \"2.0\"") ?? "\(number)",
            replaces: try reader.optionalInteger("replaces", versionWords, in: 1...Int(UInt32.max))
                .map { (number) throws(ReleaseError) in try version(number, file: file) },
            ports: .init(peer: try ports.ports("peer"), client: try ports.clientPorts("client")),
            layers: [],
            start: try reader.strings("start", programWords),
            healthCheck: try healthCheck(from: reader),
            proxy: try reader.optionalStrings("proxy", programWords),
            migrator: try reader.optionalStrings("migrator", programWords),
            retirement: try retirement(from: reader),
            configurationPath: try reader.optionalString("configurationPath", "an absolute path"),
            dataPath: try reader.optionalString("dataPath", "an absolute path"))
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

    private static func healthCheck(
        from reader: DescriptionReader
    ) throws(ReleaseError) -> ReleaseManifest.HealthCheck {
        let health = try reader.object(
            "health", keys: ["kind", "port", "startupTimeoutMilliseconds", "intervalMilliseconds"])
        let port = try health.integer("port", "a port number, 1 to 65535", in: 1...65535)
        var check = ReleaseManifest.HealthCheck(port: UInt16(port))
        let milliseconds = 1...ReleaseManifest.Limits.millisecondsMax
        if let kind = try health.optionalString("kind", "\"tcp\"") { check.kind = .init(rawValue: kind) }
        if let timeout = try health.optionalInteger("startupTimeoutMilliseconds", millisecondsWords, in: milliseconds) {
            check.startupTimeoutMilliseconds = timeout
        }
        if let interval = try health.optionalInteger("intervalMilliseconds", millisecondsWords, in: milliseconds) {
            check.intervalMilliseconds = interval
        }
        return check
    }

    private static func retirement(
        from reader: DescriptionReader
    ) throws(ReleaseError) -> ReleaseManifest.Retirement {
        var retirement = ReleaseManifest.Retirement()
        let keys = ["messagesPerSecond", "periodMilliseconds"]
        guard let rule = try reader.optionalObject("retirement", keys: keys) else { return retirement }
        if let rate = try rule.optionalNumber("messagesPerSecond", "a number, 0 or greater") {
            retirement.messagesPerSecond = rate
        }
        if let period = try rule.optionalInteger(
            "periodMilliseconds", millisecondsWords, in: 1...ReleaseManifest.Limits.millisecondsMax)
        {
            retirement.periodMilliseconds = period
        }
        return retirement
    }
}
