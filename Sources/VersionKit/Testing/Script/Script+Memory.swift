import NIOCore
public import VersionKitModel
public import VersionKitProxy

extension Script {
    /// Carries the conversation out in memory, with as many client connections as it names and one order of writes.
    ///
    /// - Parameter byteByByte: whether each byte arrives by itself. What comes of a conversation is the same.
    /// - Throws: ``VerificationFailure`` with the line, what was expected and what happened.
    public func run<Adapter: MessageAdapter>(
        _ adapter: Adapter, limits: Limits = .standard, byteByByte: Bool = false
    ) throws {
        var proxy = InMemoryProxy(adapter, limits: limits)
        for (line, step) in steps {
            for part in byteByByte ? step.bytewise : [step] {
                guard let problem = proxy.perform(part) else { continue }
                throw VerificationFailure("\(name):\(line)\(byteByByte ? " (byte by byte)" : ""): \(problem)")
            }
        }
    }
}

extension Script.Step {
    /// The same step, one byte at a time.
    fileprivate var bytewise: [Script.Step] {
        switch self {
        case .clientSays(let client, let bytes):
            bytes.readableBytesView.map { .clientSays(client, ByteBuffer(integer: $0)) }
        case .versionSays(let version, let client, let bytes):
            bytes.readableBytesView.map { .versionSays(version, client, ByteBuffer(integer: $0)) }
        default: [self]
        }
    }
}

extension InMemoryProxy {
    /// Does what a line of a script says; what is wrong, if something is.
    fileprivate mutating func perform(_ step: Script.Step) -> String? {
        switch step {
        // What is sent to versions later is only listed.
        case .versionSays(_, Script.proxy, _), .versionHears(_, Script.proxy, _), .versionLost(_, Script.proxy): break
        case .versions(let list): change(list)
        case .clientSays(let client, let bytes): say(bytes, as: client)
        case .versionSays(let version, let client, let bytes): answer(bytes, from: version, to: client)
        case .versionLost(let version, let client): lose(version, of: client)
        case .clientLeaves(let client): leave(client)
        case .behind(let version): behind.append(version)
        case .caughtUp(let version):
            behind.removeAll { $0 == version }
            unlike.removeAll { $0.version == version }
        case .unlike(let version, let keys): unlike.append((version, keys))
        case .clientHears(let client, let expected): return compare(takeReceived(by: client), expected, client)
        case .versionHears(let version, let client, let expected):
            return compare(takeSent(to: version, by: client), expected, "version \(version)")
        case .clientClosed(let client): return isClosed(client) ? nil : "\(client)'s connection is open"
        case .versionClosed(let version, let client):
            return takeDropped(version, of: client)
                ? nil : "\(client)'s connection to version \(version) was not closed"
        case .missedCopy(let version, let keys):
            let names = (keys.names ?? []).map(EscapedText.encode).sorted().joined(separator: " ")
            return expectMissed(version, "copy \(names)") { $0.content == .copy && $0.keys == keys }
        case .missedNothing(let version):
            return missed[version]?.isEmpty == false ? "version \(version) missed \(missed[version] ?? [])" : nil
        case .missedReplay(let version, let replay):
            return expectMissed(version, "replay \(EscapedText.encode(replay))") {
                guard case .replay(let bytes, _) = $0.content else { return false }
                return bytes == replay
            }
        case .needed(let version):
            guard needed.first == version else { return "needed: \(needed), not version \(version)" }
            needed.removeFirst()
        case .diverged(let version):
            guard diverged.first == version else { return "diverged: \(diverged), not version \(version)" }
            diverged.removeFirst()
        case .failed(let count): return answered.failed == count ? nil : "\(answered.failed) requests have failed"
        }
        return nil
    }

    private func compare(_ got: ByteBuffer, _ expected: ByteBuffer, _ who: String) -> String? {
        guard got != expected else { return nil }
        return """
            \(who) got another thing
              expected '\(EscapedText.encode(expected))'
              got      '\(EscapedText.encode(got))'
            """
    }

    private mutating func expectMissed(
        _ version: Version, _ what: String, _ isIt: (MissedWrite) -> Bool
    ) -> String? {
        guard let first = missed[version]?.first, isIt(first) else {
            return "version \(version) missed \(missed[version] ?? []), not: \(what)"
        }
        missed[version]?.removeFirst()
        return nil
    }
}
