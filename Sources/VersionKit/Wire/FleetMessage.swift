public import VersionKitModel

/// What a router tells another one over a control connection: which versions of an application serve on its node now,
/// how far around it the newest one does, or how new the documents are that it has of the application's publishers.
///
/// A value without trust: who made it is known only once its ``Sealed/code`` was checked with the fleet's key.
/// `docs/wire-format.md` has the line.
///
/// - Note: DESIGN 6.
public struct FleetMessage: Sendable, Hashable {
    /// The most versions in one message.
    public static let versionsMax = 32
    /// The longest line, in bytes, without its end.
    public static let lineBytesMax = 1024
    /// The bytes of a nonce.
    public static let nonceBytes = 16
    /// The bytes of a code: those of HMAC-SHA256.
    public static let codeBytes = 32
    /// The words that a line begins with.
    public static let keywords = ["versions", "trust", "horizon"]

    /// What is told.
    public enum News: Sendable, Hashable {
        /// All versions that serve on the sender's node; the newest ones, if there are more than ``versionsMax``. Those that
        /// are not listed do not serve there, or not any more.
        case serving(Set<Version>)
        /// The numbers of the sender's root and channel; 0: it has no channel.
        case trust(root: UInt64, channel: UInt64)
        /// How far around the sender a version serves.
        case horizon(Horizon)
    }

    /// How far around a node a version serves everywhere.
    ///
    /// A server that is asked may ask others, and these again others: the node of the first one has to know about all of
    /// them before its clients rely on their new version alone.
    public struct Horizon: Sendable, Hashable, Codable {
        /// As far as anybody looks: a request goes through so many nodes, or fewer.
        public static let hopsMax = 4
        /// What a node has to hear of all its peers before it copies for the last time what its old version has, and the most
        /// that it tells until it has: then writes of their clients, and of their peers' clients, reach the new version.
        public static let hopsToCopy = hopsMax - 2
        /// What it has to hear of them before its clients rely on the new version alone: nobody says so before having copied.
        public static let hopsToLeave = hopsMax - 1

        /// The version that the node has gone over to, or is about to.
        public var version: Version
        /// How many nodes a request for it may go through, the node itself the first; 0: it does not serve there yet.
        public var hops: Int

        /// A horizon.
        ///
        /// - Precondition: `hops` is in `0...hopsMax`.
        public init(_ version: Version, hops: Int) {
            precondition((0...Self.hopsMax).contains(hops), "a horizon of \(hops) hops")
            (self.version, self.hops) = (version, hops)
        }
    }

    /// The application that is spoken of.
    public var application: ApplicationID
    /// What is told of it.
    public var news: News
    /// The sender's address in the fleet.
    public var sender: IPAddress
    /// The address of the node that it is meant for.
    public var receiver: IPAddress
    /// When it was made: milliseconds since 1970, by the sender's clock.
    public var stamp: Int64
    /// ``nonceBytes`` random bytes, so that no two messages are the same.
    public var nonce: [UInt8]

    /// A message.
    ///
    /// - Precondition: the nonce has ``nonceBytes`` bytes, the time is not before 1970.
    public init(
        application: ApplicationID, news: News, sender: IPAddress, receiver: IPAddress, stamp: Int64, nonce: [UInt8]
    ) {
        precondition(nonce.count == Self.nonceBytes, "a nonce of \(nonce.count) bytes")
        precondition(stamp >= 0, "a time before 1970")
        self.application = application
        self.news = news
        if case .serving(let versions) = news { self.news = .serving(Set(versions.sorted().suffix(Self.versionsMax))) }
        self.sender = sender
        self.receiver = receiver
        self.stamp = stamp
        self.nonce = nonce
    }

    /// A message as it came, with the code that proves its origin.
    public struct Sealed: Sendable, Hashable {
        /// What it says.
        public var message: FleetMessage
        /// The authentication code of ``FleetMessage/signedText``.
        public var code: [UInt8]
    }

    /// Why a line is no message. The fault is the sender's, and the same line will fail again.
    public enum Fault: String, Error, Sendable, Hashable, CaseIterable {
        /// Longer than ``FleetMessage/lineBytesMax``.
        case tooLong = "too-long"
        /// Not the words that a message has, in their order, with one space between.
        case badForm = "bad-form"
        /// No application's name.
        case badApplication = "bad-application"
        /// Not a list of versions in ascending order, or more than ``FleetMessage/versionsMax``.
        case badVersions = "bad-versions"
        /// Not the numbers of a root and a channel, or of a version and hops.
        case badNumbers = "bad-numbers"
        /// No address, or not in its shortest form.
        case badAddress = "bad-address"
        /// No time.
        case badTime = "bad-time"
        /// A nonce or a code that is not as many bytes in hexadecimal digits as it must be.
        case badBytes = "bad-bytes"
    }

    /// What the authentication code is made of: the line up to the code.
    public var signedText: String {
        "\(newsText) from \(sender) to \(receiver) at \(stamp) nonce \(Hex.text(nonce))"
    }

    private var newsText: String {
        switch news {
        case .serving(let versions):
            let list = versions.isEmpty ? "-" : versions.sorted().map(\.description).joined(separator: ",")
            return "\(Self.keywords[0]) \(application) \(list)"
        case .trust(let root, let channel): return "\(Self.keywords[1]) \(application) \(root)/\(channel)"
        case .horizon(let horizon):
            return "\(Self.keywords[2]) \(application) \(horizon.version)/\(horizon.hops)"
        }
    }

    /// The line with this code, without its end.
    ///
    /// - Precondition: the code has ``codeBytes`` bytes.
    public func line(code: [UInt8]) -> String {
        precondition(code.count == Self.codeBytes, "a code of \(code.count) bytes")
        return "\(signedText) hmac \(Hex.text(code))"
    }

    /// Reads a line, without its end. There is exactly one line for each message and code.
    ///
    /// - Throws: ``Fault``.
    public static func decode(_ line: String) throws(Fault) -> Sealed {
        guard line.utf8.count <= lineBytesMax else { throw .tooLong }
        let words = line.split(separator: " ", maxSplits: 12, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 13, keywords.contains(words[0]), words[3] == "from", words[5] == "to", words[7] == "at",
            words[9] == "nonce", words[11] == "hmac"
        else { throw .badForm }
        guard let application = ApplicationID(rawValue: words[1]) else { throw .badApplication }
        let news = try news(words[0], words[2])
        guard let sender = IPAddress(words[4]), sender.description == words[4],
            let receiver = IPAddress(words[6]), receiver.description == words[6]
        else { throw .badAddress }
        guard let stamp = Int64(words[8]), stamp >= 0, String(stamp) == words[8] else { throw .badTime }
        guard let nonce = Hex.bytes(words[10], count: nonceBytes), let code = Hex.bytes(words[12], count: codeBytes)
        else { throw .badBytes }
        let message = FleetMessage(
            application: application, news: news, sender: sender, receiver: receiver, stamp: stamp, nonce: nonce)
        return Sealed(message: message, code: code)
    }

    private static func news(_ keyword: String, _ text: String) throws(Fault) -> News {
        guard keyword != keywords[0] else { return .serving(try versions(text)) }
        let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt64(parts[0]), let second = UInt64(parts[1]),
            "\(first)/\(second)" == text
        else { throw .badNumbers }
        guard keyword == keywords[2] else { return .trust(root: first, channel: second) }
        guard let version = UInt32(exactly: first).flatMap(Version.init), second <= UInt64(Horizon.hopsMax) else {
            throw .badNumbers
        }
        return .horizon(Horizon(version, hops: Int(second)))
    }

    private static func versions(_ text: String) throws(Fault) -> Set<Version> {
        if text == "-" { return [] }
        let parts = text.split(separator: ",", maxSplits: versionsMax, omittingEmptySubsequences: false)
        guard parts.count <= versionsMax else { throw .badVersions }
        var last: Version?
        for part in parts {
            guard let version = Version(String(part)), last.map({ $0 < version }) ?? true else { throw .badVersions }
            last = version
        }
        return Set(parts.compactMap { Version(String($0)) })
    }
}

/// Bytes as lower-case hexadecimal digits.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Exactly so many bytes, or `nil`.
    static func bytes(_ text: String, count: Int) -> [UInt8]? {
        let values = text.utf8.map { digits.firstIndex(of: $0) }
        guard values.count == 2 * count else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: values.count, by: 2) {
            guard let high = values[index], let low = values[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
