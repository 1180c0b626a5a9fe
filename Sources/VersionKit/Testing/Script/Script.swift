import NIOCore
import VersionKitModel

/// A conversation between clients, a proxy and versions, as a text that people read and two runners carry out: in memory
/// (``run(_:)``) and over loopback (``runOverLoopback(_:)``).
///
///     # A write goes to both versions; the client hears of it when both did it.
///     versions 1 2
///     client > set a 1\n
///     1 < set a 1\n
///     2 < set a 1\n
///     1 > done\n
///     client <
///     2 > done\n
///     client < done\n
///
/// | line | meaning |
/// |---|---|
/// | `versions 1 2(filling)` | these versions run from now on; roles are `(filling)` and `(writes-only)` |
/// | `client > BYTES` | a client sends; `client2` and so on are others, on connections of their own |
/// | `client < BYTES` | it has got just these bytes since the last such line; none: nothing yet |
/// | `1 < BYTES` | version 1 has got these bytes on `client`'s connection; `1/client2` names another's |
/// | `1 > BYTES` | version 1 sends |
/// | `1 lost` | version 1 closes that connection |
/// | `client closed` | the proxy has closed the client's connection |
/// | `behind 1` | version 1 missed something and is not read from (in memory only) |
/// | `missed 1 copy KEY` | version 1 will get the state of this key (in memory only) |
/// | `missed 1 replay BYTES` | version 1 will get these bytes (in memory only) |
/// | `needed 1` | a client got an answer that only version 1 could give (in memory only) |
///
/// `\r`, `\n`, `\t`, `\s`, `\\` and `\xNN` stand for bytes. Empty lines and lines that begin with `#` say nothing.
public struct Script: Sendable {
    enum Step: Sendable, Hashable {
        case versions(VersionList)
        case clientSays(String, ByteBuffer)
        case clientHears(String, ByteBuffer)
        case versionSays(Version, String, ByteBuffer)
        case versionHears(Version, String, ByteBuffer)
        case versionLost(Version, String)
        case clientClosed(String)
        case behind(Version)
        case missedCopy(Version, ByteBuffer)
        case missedReplay(Version, ByteBuffer)
        case needed(Version)
    }

    let name: String
    let steps: [(line: Int, step: Step)]

    /// The longest script, in lines.
    public static let linesMax = 10_000

    /// Reads a script.
    ///
    /// - Parameter name: what messages call it, such as its path.
    /// - Throws: ``VerificationFailure`` with the line that means nothing.
    public init(_ text: String, name: String = "script") throws {
        self.name = name
        var steps: [(Int, Step)] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count <= Self.linesMax else { throw VerificationFailure("\(name) has \(lines.count) lines") }
        for (index, line) in lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            guard !trimmed.isEmpty, !trimmed.hasPrefix("#") else { continue }
            guard let step = Step(trimmed) else {
                throw VerificationFailure(
                    "\(name):\(index + 1): '\(trimmed)' means nothing; see the documentation of Script")
            }
            steps.append((index + 1, step))
        }
        self.steps = steps
    }
}

extension Script.Step {
    init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        switch words[0] {
        case "versions":
            guard let list = Self.versions(line.split(separator: " ").dropFirst()) else { return nil }
            self = .versions(list)
        case "behind", "needed":
            guard words.count == 2, let version = Version(String(words[1])) else { return nil }
            self = words[0] == "behind" ? .behind(version) : .needed(version)
        case "missed":
            let parts = words.count == 3 ? words[2].split(separator: " ", maxSplits: 1) : []
            guard parts.count == 2, let version = Version(String(words[1])), let bytes = EscapedText.decode(parts[1]),
                ["copy", "replay"].contains(parts[0])
            else { return nil }
            self = parts[0] == "copy" ? .missedCopy(version, bytes) : .missedReplay(version, bytes)
        default: self.init(speaker: words)
        }
    }

    private init?(speaker words: [Substring]) {
        guard words.count > 1 else { return nil }
        let place = words[0].split(separator: "/", maxSplits: 1)
        let version = place.first.flatMap { Version(String($0)) }
        let client = version == nil ? String(words[0]) : place.count == 2 ? String(place[1]) : "client"
        guard client.hasPrefix("client") else { return nil }
        if words.count == 2, ["closed", "lost"].contains(words[1]) {
            guard (version == nil) == (words[1] == "closed") else { return nil }
            self = version.map { .versionLost($0, client) } ?? .clientClosed(client)
            return
        }
        guard let bytes = EscapedText.decode(words.count > 2 ? words[2] : "") else { return nil }
        switch (words[1], version) {
        case (">", let version?): self = .versionSays(version, client, bytes)
        case ("<", let version?): self = .versionHears(version, client, bytes)
        case (">", nil): self = .clientSays(client, bytes)
        case ("<", nil): self = .clientHears(client, bytes)
        default: return nil
        }
    }

    private static func versions(_ words: ArraySlice<Substring>) -> VersionList? {
        var list = VersionList()
        for word in words {
            let parts = word.split(separator: "(")
            guard let version = parts.first.flatMap({ Version(String($0)) }) else { return nil }
            let role = parts.count == 2 ? VersionList.Role(rawValue: String(parts[1].dropLast())) : .full
            guard let role, parts.count < 3 else { return nil }
            list.insert(version, role: role)
        }
        return list
    }
}
