public import DequeModule
public import NIOCore
public import VersionKitModel

/// Writes to several versions: what counts as success, and what a version gets later that did not do the same.
///
/// Everything here happens while the write still has its turn, so no other write to its keys comes in between.
extension MessageProxy {
    @inlinable
    mutating func settleWrite(
        _ number: Int, _ keys: Keys, _ missed: Dispatch<Adapter.Reply>.Missed, _ connection: inout ConnectionHandler
    ) {
        let exchange = exchanges[number - delivered]
        guard adapter.writePolicy == .catchUp else { return settleAllOrFail(number, keys, missed, &connection) }
        guard let authority = authority(among: exchange.answers, in: keys, connection) else {
            return settleUnknown(number, keys, &connection)
        }
        var failed: Conversation.Answer?
        for answer in exchange.answers
        where answer.version != authority.version && connection.versions.contains(answer.version) {
            // With one key that was unlike before, what it says of the same word may have made others unlike.
            let isDoubtful = !connection.isCurrent(answer.version, in: keys) && keys.names?.count != 1
            guard
                answer.isLost || isDoubtful || !adapter.agree(answer.reply, authority.reply, on: exchange.request)
            else { continue }
            if missed == .nothing {
                // What one connection missed, the next greeting makes up for.
                dropUnlessLost(answer, &connection)
            } else if adapter.copiesKeys, !keys.isEmpty {
                connection.catchUp(MissedWrite(keys, .copy), for: answer.version)
            } else if answer.isLost, missed == .replay, answer.isUnsent || adapter.isIdempotent(exchange.request),
                let write = replay(exchange, keys, for: answer.version)
            {
                connection.catchUp(write, for: answer.version)
            } else {
                // Where the one whose word counts did not do it, the client hears that.
                if answer.verdict != .answer { failed = answer }
                if authority.verdict == .answer { noteFailing(answer, &connection) }
                connection.noteDiverged(answer.version)
            }
        }
        if exchange.answers.contains(where: { $0.verdict == .answer }) { noteFailing(authority, &connection) }
        noteWorking(exchange.answers, &connection)
        // Those that were not asked: they were behind when the write began, whatever they are now.
        for version in connection.versions.present
        where !exchange.answers.contains(where: { $0.version == version }) {
            guard authority.verdict == .answer, missed == .replay, !connection.behind.contains(version) else {
                miss(exchange, keys, authority.verdict == .answer ? missed : .copy, version, &connection)
                continue
            }
            // One that is up to date again may have done this client's next write already: replaying would be too late.
            if adapter.copiesKeys {
                connection.catchUp(MissedWrite(keys, .copy), for: version)
            } else if isOvertaken(number, in: version) {
                connection.noteDiverged(version)
            } else {
                miss(exchange, keys, .replay, version, &connection)
            }
        }
        if (failed ?? authority).verdict == .answer { log(exchange, keys, missed, &connection) }
        if let failed, failPartly(number, failed, &connection) { return }
        settle(number, with: failed ?? authority, failed: (failed ?? authority).verdict == .failure, &connection)
    }

    /// A write is done: versions that do not run, and may be gone back to, get it if they are.
    @inlinable
    func log(
        _ exchange: Conversation, _ keys: Keys, _ missed: Dispatch<Adapter.Reply>.Missed,
        _ connection: inout ConnectionHandler
    ) {
        guard missed != .nothing else { return }
        // One that was asked when it still ran has done it, or its answer says what became of it.
        for version in connection.versions.logged where !exchange.answers.contains(where: { $0.version == version }) {
            if missed == .replay, let write = replay(exchange, keys, for: version) {
                connection.catchUp(write, for: version)
            } else {
                // From here on the log is not the whole truth.
                connection.noteDiverged(version)
            }
        }
    }

    /// Whether a version was asked for later writes of this client.
    @inlinable
    func isOvertaken(_ number: Int, in version: Version) -> Bool {
        exchanges.dropFirst(number - delivered + 1).contains { later in
            later.ticket != nil
                && (later.awaited.contains(version) || later.answers.contains { $0.version == version })
        }
    }

    /// One version was down from the beginning.
    @inlinable
    func miss(
        _ exchange: Conversation, _ keys: Keys, _ missed: Dispatch<Adapter.Reply>.Missed, _ version: Version,
        _ connection: inout ConnectionHandler
    ) {
        switch missed {
        case .nothing: break
        case .copy: if adapter.copiesKeys { connection.catchUp(MissedWrite(keys, .copy), for: version) }
        case .replay:
            if let write = replay(exchange, keys, for: version) {
                connection.catchUp(write, for: version)
            } else if adapter.copiesKeys {
                connection.catchUp(MissedWrite(keys, .copy), for: version)
            } else {
                connection.noteDiverged(version)
            }
        }
    }

    /// The request as the version takes it later, or `nil` if it means nothing in its protocol.
    @inlinable
    func replay(_ exchange: Conversation, _ keys: Keys, for version: Version) -> MissedWrite? {
        do throws(ProxyError) {
            var prelude: [ByteBuffer] = []
            for request in adapter.greeting(session, to: version) {
                prelude.append(try adapter.encode(request, for: version))
            }
            return MissedWrite(
                keys, .replay(try bytes(of: exchange, for: version), prelude: prelude),
                isIdempotent: adapter.isIdempotent(exchange.effect ?? exchange.request))
        } catch {
            return nil
        }
    }

    /// The answer that counts: the newest of a version that clients read from, or else of one that has all the state.
    @inlinable
    func authority(
        among answers: [Conversation.Answer], in keys: Keys, _ connection: ConnectionHandler
    ) -> Conversation.Answer? {
        // One that came to be behind meanwhile does not count: there is to be one at any time that misses nothing.
        let sound = answers.filter {
            !$0.isLost && connection.versions.complete.contains($0.version)
                && connection.isCurrent($0.version, in: keys)
        }
        return sound.filter { connection.versions.role(of: $0.version) == .full }.max { $0.version < $1.version }
            ?? sound.max { $0.version < $1.version }
    }

    /// Every version that has the state was lost: whether any of them did the write is unknown, and so is whether they
    /// did the same. The newest one's state is taken for the truth, whatever it is.
    @inlinable
    mutating func settleUnknown(_ number: Int, _ keys: Keys, _ connection: inout ConnectionHandler) {
        let answers = exchanges[number - delivered].answers
        if connection.authority(in: keys) == nil, adapter.copiesKeys, let names = keys.names, names.count > 1 {
            // Each version came to lack another of the keys meanwhile: each key has a truth of its own.
            for key in names.map({ Keys.key($0) }) {
                guard let truth = connection.authority(in: key) else { continue }
                for version in connection.versions where version != truth {
                    connection.catchUp(MissedWrite(key, .copy), for: version)
                }
            }
            return failLacking(number, &connection)
        }
        let truth =
            connection.authority(in: keys) ?? answers.map(\.version).filter(connection.versions.complete.contains).max()
        for version in connection.versions.present where version != truth {
            if adapter.copiesKeys, !keys.isEmpty {
                connection.catchUp(MissedWrite(keys, .copy), for: version)
            } else {
                connection.noteDiverged(version)
            }
        }
        guard let answer = answers.last(where: \.isLost) ?? answers.last else {
            return failTakenAway(number, &connection)
        }
        if failPartly(number, answer, &connection) { return }
        if let truth, truth != answer.version, answer.verdict == .answer {
            return failOutdated(number, answer.version, truth, &connection)
        }
        settle(number, with: answer, failed: true, &connection)
    }

    /// A version did a write, but came to be behind meanwhile: what it did is undone by another's state.
    @inlinable
    mutating func failOutdated(
        _ number: Int, _ version: Version, _ truth: Version, _ connection: inout ConnectionHandler
    ) {
        let error = ProxyError(
            .fateUnknown, "version \(version) missed something meanwhile; version \(truth)'s state counts",
            side: .version, isRetrySafe: false)
        fail(number, error, &connection)
    }

    @inlinable
    mutating func settleAllOrFail(
        _ number: Int, _ keys: Keys, _ missed: Dispatch<Adapter.Reply>.Missed, _ connection: inout ConnectionHandler
    ) {
        let answers = exchanges[number - delivered].answers.sorted { $0.version < $1.version }
        let bad = answers.first { $0.verdict != .answer }
        let sound = answers.last { connection.versions.complete.contains($0.version) } ?? answers.last
        guard let chosen = bad ?? sound else { return failTakenAway(number, &connection) }
        if answers.contains(where: { $0.verdict == .answer }) {
            // Some did it and some did not: the client knows that it failed, operators that they differ.
            for answer in answers where answer.verdict != .answer {
                noteFailing(answer, &connection)
                connection.noteDiverged(answer.version)
            }
        }
        if bad == nil { log(exchanges[number - delivered], keys, missed, &connection) }
        noteWorking(answers, &connection)
        if let bad, failPartly(number, bad, &connection) { return }
        settle(number, with: chosen, failed: bad != nil, &connection)
    }

    /// A version did not do what another did. One that refuses a request may be right to; one that fails is noted.
    @inlinable
    func noteFailing(_ answer: Conversation.Answer, _ connection: inout ConnectionHandler) {
        guard answer.verdict == .failure else { return }
        connection.noteFailing(
            answer.version,
            because: answer.isUnsent
                ? "it cannot be reached" : answer.isLost ? "it is lost before it answers" : "it says so")
    }

    @inlinable
    func noteWorking(_ answers: [Conversation.Answer], _ connection: inout ConnectionHandler) {
        guard !connection.failing.isEmpty else { return }
        for answer in answers where answer.verdict == .answer { connection.noteWorking(answer.version) }
    }

    /// Fails a write that one version did not get if another one may have done it: the client must not take it for one
    /// that nobody did.
    ///
    /// - Returns: whether it is so.
    @inlinable
    mutating func failPartly(
        _ number: Int, _ answer: Conversation.Answer, _ connection: inout ConnectionHandler
    ) -> Bool {
        let exchange = exchanges[number - delivered]
        guard answer.isUnsent,
            exchange.answers.contains(where: { !$0.isUnsent && ($0.isLost || $0.verdict == .answer) })
        else { return false }
        let why = "version \(answer.version) could not be reached, and others were"
        fail(number, unknownFate(why, exchange.request), &connection)
        return true
    }

    @inlinable
    mutating func settleLead(_ number: Int, _ keys: Keys, _ connection: inout ConnectionHandler) {
        guard let answer = exchanges[number - delivered].answers.last else {
            return failTakenAway(number, &connection)
        }
        let others = connection.versions.filter { $0 != answer.version }
        if !connection.isCurrent(answer.version, in: keys), let truth = connection.authority(in: keys), !answer.isLost {
            connection.catchUp(MissedWrite(keys, .copy), for: answer.version)
            return failOutdated(number, answer.version, truth, &connection)
        }
        guard !answer.isLost else {
            // It may have done it, and the others did not: they are the truth, unless only the leader had all before.
            let isAlone = !connection.versions.complete.contains {
                $0 != answer.version && connection.isCurrent($0, in: keys)
            }
            for version in isAlone ? others : [answer.version] {
                connection.catchUp(MissedWrite(keys, .copy), for: version)
            }
            return settle(number, with: answer, failed: true, &connection)
        }
        switch adapter.effect(of: exchanges[number - delivered].request, reply: answer.reply) {
        case .nothing: break
        case .copy: for version in others { connection.catchUp(MissedWrite(keys, .copy), for: version) }
        case .request(let effect):
            exchanges[number - delivered].effect = effect
            exchanges[number - delivered].plan = .follow(keys, leader: answer.version)
            for version in others where connection.behind.contains(version) {
                miss(exchanges[number - delivered], keys, .replay, version, &connection)
            }
            let present = others.filter { !connection.behind.contains($0) }
            if !present.isEmpty { return ask(number, present, &connection) }
        }
        settle(number, with: answer, failed: answer.verdict == .failure, &connection)
    }

    @inlinable
    mutating func settleFollow(
        _ number: Int, _ keys: Keys, _ leader: Version, _ connection: inout ConnectionHandler
    ) {
        guard let answer = exchanges[number - delivered].answers.first(where: { $0.version == leader }) else {
            return failTakenAway(number, &connection)
        }
        for other in exchanges[number - delivered].answers where other.version != leader && other.verdict != .answer {
            connection.catchUp(MissedWrite(keys, .copy), for: other.version)
        }
        settle(number, with: answer, failed: answer.verdict == .failure, &connection)
    }

    @inlinable
    mutating func settleSession(_ number: Int, _ connection: inout ConnectionHandler) {
        let exchange = exchanges[number - delivered]
        let sound = authority(among: exchange.answers, in: .none, connection) ?? exchange.answers.last
        guard let sound else { return failTakenAway(number, &connection) }
        for answer in exchange.answers where answer.version != sound.version {
            guard answer.isLost || !adapter.agree(answer.reply, sound.reply, on: exchange.request) else { continue }
            dropUnlessLost(answer, &connection)
        }
        // A version that was behind was not asked; nor does any connection to one owe anything at this moment.
        for version in lanes.filter({ !$0.isShared }).map(\.version)
        where !exchange.answers.contains(where: { $0.version == version }) {
            lanes.removeAll { $0.version == version && !$0.isShared }
            connection.drop(version)
        }
        if !sound.isLost { adapter.settled(exchange.request, with: sound.reply, in: &session) }
        settle(number, with: sound, failed: sound.verdict == .failure, &connection)
    }

    /// A version's connection is in another session than the client believes: the next one is greeted anew.
    @inlinable
    mutating func dropUnlessLost(_ answer: Conversation.Answer, _ connection: inout ConnectionHandler) {
        guard !answer.isLost else { return }
        versionLost(answer.version, &connection)
        connection.drop(answer.version)
    }

    @inlinable
    mutating func failTakenAway(_ number: Int, _ connection: inout ConnectionHandler) {
        let error = ProxyError(
            .fateUnknown, "the versions asked were taken away before they answered", side: .proxy, isRetrySafe: false)
        fail(number, error, &connection)
    }
}
