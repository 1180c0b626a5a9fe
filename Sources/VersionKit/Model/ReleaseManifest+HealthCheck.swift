extension ReleaseManifest {
    /// How to find out whether the application is well.
    public struct HealthCheck: Codable, Sendable, Equatable {
        /// What is tried.
        public struct Kind: RawRepresentable, Codable, Sendable, Hashable {
            /// A connection to the port is accepted.
            public static let tcp = Kind(rawValue: "tcp")
            /// A request `GET PATH` to the port has the wanted status.
            public static let http = Kind(rawValue: "http")
            /// A command inside the environment ends with 0: for services that no connection tells anything of.
            public static let command = Kind(rawValue: "command")

            /// All that are known here.
            public static let known: [Kind] = [.tcp, .http, .command]

            /// The word in the manifest.
            public let rawValue: String

            /// The kind with this word, known or not: ``ReleaseManifest/validate()`` refuses unknown ones by name.
            public init(rawValue: String) { self.rawValue = rawValue }
        }

        /// How an application is looked at that runs.
        public struct Steady: Codable, Sendable, Equatable {
            /// The time between two tries.
            public var intervalMilliseconds: Int
            /// So many failures in a row are a failure of the version, as if its process had ended: it is started again,
            /// or taken away while the older one still runs.
            public var failures: Int

            /// Checks that never end.
            public init(intervalMilliseconds: Int = 5000, failures: Int = 3) {
                self.intervalMilliseconds = intervalMilliseconds
                self.failures = failures
            }
        }

        /// What is tried.
        public var kind: Kind
        /// The port to try, inside the environment; 0 for a command.
        public var port: UInt16
        /// What a request asks for, `/health`.
        public var path: String?
        /// The status that its answer has to have; `nil`: any from 200 to 399.
        public var status: Int?
        /// The command: an absolute path inside the environment, then arguments.
        public var command: [String]?
        /// How long the application may take until the first success.
        public var startupTimeoutMilliseconds: Int
        /// The time between two tries.
        public var intervalMilliseconds: Int
        /// How it is looked at later; `nil`: only its process is.
        public var steady: Steady?

        /// A check of this port.
        public init(
            kind: Kind = .tcp, port: UInt16, startupTimeoutMilliseconds: Int = 30_000, intervalMilliseconds: Int = 250
        ) {
            self.kind = kind
            self.port = port
            self.startupTimeoutMilliseconds = startupTimeoutMilliseconds
            self.intervalMilliseconds = intervalMilliseconds
        }

        /// Whether older nodes would not understand it.
        var isNew: Bool { kind != .tcp || steady != nil }
    }
}

extension ReleaseManifest.HealthCheck {
    func validate() throws(ManifestError) {
        guard Kind.known.contains(kind) else {
            throw ManifestError(
                .unsupported, "healthCheck.kind", "\"\(kind.rawValue.prefix(80))\" is not known here",
                remedy: "use \(Kind.known.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))")
        }
        if kind == .command {
            try ReleaseManifest.check(command: command ?? [], field: "healthCheck.command")
        } else {
            try ReleaseManifest.check(port: port, field: "healthCheck.port")
        }
        if kind == .http { try validateRequest() }
        try Self.check(startupTimeoutMilliseconds, "startupTimeoutMilliseconds")
        try Self.check(intervalMilliseconds, "intervalMilliseconds")
        guard let steady else { return }
        try Self.check(steady.intervalMilliseconds, "steady.intervalMilliseconds")
        try ReleaseManifest.check(
            steady.failures, field: "healthCheck.steady.failures", unit: "failures",
            in: 1...ReleaseManifest.Limits.healthFailuresMax)
    }

    private func validateRequest() throws(ManifestError) {
        let path = path ?? ""
        try ReleaseManifest.check(path: path, field: "healthCheck.path")
        // It becomes a line of its own.
        guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ManifestError(
                .badPath, "healthCheck.path", "\"\(path)\" is not what a request can ask for",
                remedy: "write spaces and letters other than those of ASCII as %XX")
        }
        if let status {
            try ReleaseManifest.check(status, field: "healthCheck.status", unit: "as a status", in: 100...599)
        }
    }

    private static func check(_ milliseconds: Int, _ field: String) throws(ManifestError) {
        try ReleaseManifest.check(
            milliseconds, field: "healthCheck.\(field)", unit: "ms", in: 1...ReleaseManifest.Limits.millisecondsMax)
    }
}
