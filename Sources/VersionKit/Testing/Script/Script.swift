import NIOCore
import VersionKitModel
import VersionKitProxy

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
/// | `1 closed` | the proxy has closed that connection |
/// | `client closed` | the proxy has closed the client's connection |
/// | `client leaves` | the client closes its connection |
/// | `behind 1` | version 1 missed something and is not read from (in memory only) |
/// | `unlike 1 KEYS` | version 1 is to get a copy of these keys and takes writes all the while (in memory only) |
/// | `caught-up 1` | version 1 misses nothing any more; over loopback, the proxy has found that |
/// | `missed 1 copy KEYS` | version 1 will get the state of these keys, with spaces between (in memory only) |
/// | `missed 1 replay BYTES` | version 1 will get these bytes; over loopback it gets them now, unless keys can be copied |
/// | `1/proxy > BYTES` | version 1 answers that, on the proxy's own connection (over loopback only) |
/// | `1/proxy < BYTES` | version 1 has got these bytes there (over loopback only) |
/// | `1/proxy lost` | version 1 closes that connection, and the proxy opens it again (over loopback only) |
/// | `missed 1` | there is nothing more that version 1 will get (in memory only) |
/// | `needed 1` | a client got an answer that only version 1 could give (in memory only) |
/// | `diverged 1` | version 1 came to differ for good (in memory only) |
/// | `failed 2` | so many requests have failed so far (in memory only) |
///
/// Where keys can be copied (``KeyedAdapter``), versions get what they missed in memory only: over loopback the proxy would
/// also list and compare all keys, in an order and on connections that no script could tell.
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
        case versionClosed(Version, String)
        case clientClosed(String)
        case clientLeaves(String)
        case behind(Version)
        case caughtUp(Version)
        case unlike(Version, Keys)
        case missedCopy(Version, Keys)
        case missedReplay(Version, ByteBuffer)
        case missedNothing(Version)
        case needed(Version)
        case diverged(Version)
        case failed(Int)
    }

    /// Who speaks on the proxy's own connection to a version.
    static let proxy = "proxy"

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
