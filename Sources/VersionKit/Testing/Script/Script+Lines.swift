import NIOCore
import VersionKitModel
import VersionKitProxy

/// One line of a script; `nil`: it means nothing.
extension Script.Step {
    init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        switch words[0] {
        case "versions":
            guard let list = Self.versions(line.split(separator: " ").dropFirst()) else { return nil }
            self = .versions(list)
        case "behind", "caught-up", "needed", "diverged":
            guard words.count == 2, let version = Version(String(words[1])) else { return nil }
            switch words[0] {
            case "behind": self = .behind(version)
            case "caught-up": self = .caughtUp(version)
            case "needed": self = .needed(version)
            default: self = .diverged(version)
            }
        case "failed":
            guard words.count == 2, let count = Int(words[1]), count >= 0 else { return nil }
            self = .failed(count)
        case "unlike":
            guard words.count == 3, let version = Version(String(words[1])), let keys = Self.keys(words[2]) else {
                return nil
            }
            self = .unlike(version, keys)
        case "missed":
            guard words.count > 1, let version = Version(String(words[1])) else { return nil }
            self.init(missedBy: version, words.count == 3 ? words[2] : "")
        default: self.init(speaker: words)
        }
    }

    private static func keys(_ words: Substring) -> Keys? {
        let names = words.split(separator: " ").map(EscapedText.decode)
        return names.allSatisfy { $0 != nil } ? Keys(names.compactMap { $0 }) : nil
    }

    private init?(missedBy version: Version, _ what: Substring) {
        let parts = what.split(separator: " ", maxSplits: 1)
        switch (parts.first, parts.count) {
        case (nil, _): self = .missedNothing(version)
        case ("copy", 2):
            guard let keys = Self.keys(parts[1]) else { return nil }
            self = .missedCopy(version, keys)
        case ("replay", 2):
            guard let bytes = EscapedText.decode(parts[1]) else { return nil }
            self = .missedReplay(version, bytes)
        default: return nil
        }
    }

    private init?(speaker words: [Substring]) {
        guard words.count > 1 else { return nil }
        let place = words[0].split(separator: "/", maxSplits: 1)
        let version = place.first.flatMap { Version(String($0)) }
        let client = version == nil ? String(words[0]) : place.count == 2 ? String(place[1]) : "client"
        guard client.hasPrefix("client") || (version != nil && client == Script.proxy) else { return nil }
        switch (words[1], version, words.count) {
        case ("closed", let version?, 2) where client != Script.proxy: self = .versionClosed(version, client)
        case ("closed", nil, 2): self = .clientClosed(client)
        case ("lost", let version?, 2): self = .versionLost(version, client)
        case ("leaves", nil, 2): self = .clientLeaves(client)
        default: self.init(words, version, client)
        }
    }

    private init?(_ words: [Substring], _ version: Version?, _ client: String) {
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
