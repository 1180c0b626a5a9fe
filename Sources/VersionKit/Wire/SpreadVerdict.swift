public import VersionKitModel

/// What a node, or its operator, found out about a release that spreads in stages: that it is good, or that it must go.
///
/// A verdict is about one manifest, stays true, and is passed on from node to node as it is. A value without trust: it
/// counts only if its ``Sealed/code`` was checked with the fleet's key. `docs/wire-format.md` has the line.
///
/// - Note: DESIGN 8; R14.
public struct SpreadVerdict: Sendable, Hashable, Codable {
    /// The word that a line begins with.
    public static let keyword = "verdict"
    /// The longest line, in bytes, without its end.
    public static let lineBytesMax = 1024
    /// The longest reason, in bytes. A longer one is cut.
    public static let reasonBytesMax = 300

    /// What was found.
    public enum Finding: String, Sendable, Hashable, Codable, CaseIterable {
        /// It served without trouble for as long as it asks for.
        case promoted
        /// It failed, or somebody does not want it.
        case withdrawn
    }

    /// The application.
    public var application: ApplicationID
    /// The version.
    public var version: Version
    /// The manifest: another release by the same number is another matter.
    public var manifest: Digest
    /// What was found.
    public var finding: Finding
    /// The node that found it: its address in the fleet.
    public var node: IPAddress
    /// When: milliseconds since 1970, by that node's clock.
    public var time: Int64
    /// Why, in words: printable, in one line.
    public var reason: String

    /// A verdict. The reason becomes one printable line of at most ``reasonBytesMax`` bytes.
    ///
    /// - Precondition: the time is not before 1970.
    public init(
        application: ApplicationID, version: Version, manifest: Digest, finding: Finding, node: IPAddress, time: Int64,
        reason: String
    ) {
        precondition(time >= 0, "a time before 1970")
        self.application = application
        self.version = version
        self.manifest = manifest
        self.finding = finding
        self.node = node
        self.time = time
        self.reason = Self.printable(reason)
    }

    private static func printable(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            let next = isControl ? " " : Character(scalar)
            guard line.utf8.count + next.utf8.count <= reasonBytesMax else { break }
            line.append(next)
        }
        return line
    }

    /// A verdict as it came, with the code that proves that a node of the fleet made it.
    public struct Sealed: Sendable, Hashable, Codable {
        /// What it says.
        public var verdict: SpreadVerdict
        /// The authentication code of ``SpreadVerdict/signedText``.
        public var code: [UInt8]

        /// A verdict with its code.
        public init(_ verdict: SpreadVerdict, code: [UInt8]) {
            self.verdict = verdict
            self.code = code
        }

        /// The line, without its end.
        public var line: String { "\(verdict.signedText) hmac \(Hex.text(code))" }
    }

    /// Why a line is no verdict. The fault is the sender's, and the same line will fail again.
    public enum Fault: String, Error, Sendable, Hashable, CaseIterable {
        /// Longer than ``SpreadVerdict/lineBytesMax``.
        case tooLong = "too-long"
        /// Not the words that a verdict has, in their order, with one space between.
        case badForm = "bad-form"
        /// A word that is not what it should be: a name, a number, a digest, an address, a code.
        case badWord = "bad-word"
        /// A reason that is too long or not printable.
        case badReason = "bad-reason"
    }

    /// What the authentication code is made of: the line up to the code. The reason, which may be anything, is told apart
    /// from what follows by its length.
    public var signedText: String {
        "\(Self.keyword) \(application) \(version) \(manifest) \(finding.rawValue) by \(node) at \(time) "
            + "because \(reason.utf8.count) \(reason)"
    }

    /// Reads a line, without its end. There is exactly one line for each verdict and code.
    ///
    /// - Throws: ``Fault``.
    public static func decode(_ line: String) throws(Fault) -> Sealed {
        guard line.utf8.count <= lineBytesMax else { throw .tooLong }
        let words = line.split(separator: " ", maxSplits: 11, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 12, words[0] == keyword, words[5] == "by", words[7] == "at", words[9] == "because"
        else { throw .badForm }
        guard let application = ApplicationID(rawValue: words[1]), let version = Version(words[2]),
            let manifest = Digest(words[3]), let finding = Finding(rawValue: words[4]),
            let node = IPAddress(words[6]), node.description == words[6],
            let time = Int64(words[8]), time >= 0, String(time) == words[8]
        else { throw .badWord }
        guard let length = Int(words[10]), (0...reasonBytesMax).contains(length), String(length) == words[10]
        else { throw .badReason }
        let rest = Array(words[11].utf8)
        guard rest.count >= length, let reason = String(validating: rest.prefix(length), as: UTF8.self),
            printable(reason) == reason
        else { throw .badReason }
        let end = Array(" hmac ".utf8)
        guard rest.dropFirst(length).starts(with: end) else { throw .badForm }
        let digits = String(decoding: rest.dropFirst(length + end.count), as: UTF8.self)
        guard let code = Hex.bytes(digits, count: FleetMessage.codeBytes) else { throw .badWord }
        let verdict = SpreadVerdict(
            application: application, version: version, manifest: manifest, finding: finding, node: node, time: time,
            reason: reason)
        return Sealed(verdict, code: code)
    }
}
