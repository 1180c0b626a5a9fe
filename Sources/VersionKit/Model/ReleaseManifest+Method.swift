extension ReleaseManifest {
    /// How a version takes over from the one before.
    ///
    /// - Note: R20 for all but the first.
    public struct Method: RawRepresentable, Codable, Sendable, Hashable {
        /// Both run, clients are served by both, and the older one goes when nobody needs it.
        public static let sideBySide = Method(rawValue: "side-by-side")
        /// As package managers do: the older one is stopped, and the newer one starts with its configuration and its data.
        public static let package = Method(rawValue: "package")
        /// The older one is stopped, and the newer one starts with every file that it wrote.
        public static let checkpoint = Method(rawValue: "checkpoint")

        /// All that are known here.
        public static let known: [Method] = [.sideBySide, .package, .checkpoint]

        /// The word in the manifest.
        public let rawValue: String

        /// The method with this word, known or not: ``ReleaseManifest/validate()`` refuses unknown ones by name.
        public init(rawValue: String) { self.rawValue = rawValue }
    }

    func validateMethod() throws(ManifestError) {
        guard let method else { return }
        guard Method.known.contains(method) else {
            throw ManifestError(
                .unsupported, "method", "\"\(method.rawValue.prefix(80))\" is not known here",
                remedy: "use \(Method.known.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))")
        }
        guard method != .package || configurationPath != nil || dataPath != nil else {
            throw ManifestError(
                .conflict, "method", "a package without configuration and data takes nothing over",
                remedy: "say configurationPath or dataPath, or use \"checkpoint\"")
        }
        guard method == .sideBySide || spread == nil else {
            throw ManifestError(
                .conflict, "spread", "a version that takes the old one's place cannot be tried out beside it",
                remedy: "leave out spread, or use the method \"side-by-side\"")
        }
    }
}
