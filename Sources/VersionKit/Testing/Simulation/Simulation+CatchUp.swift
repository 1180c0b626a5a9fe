import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// What a version missed, on its way to it.
struct CatchUp {
    var queue: CatchUpQueue
    /// What is done next, and the turn that it waits for.
    var next: (step: CatchUpQueue.Step, hold: UInt64)?
}

/// Keys that a version which is up has to get from another, and the turn that this waits for.
struct Mend {
    var version: Version
    var keys: Keys
    var hold: UInt64
}

/// Versions are brought up to date as the engine does it, in steps that come amid everything else.
extension Simulation {
    /// What could be done next, in a fixed order.
    mutating func catchUpEvents() -> [Event] {
        for (version, writes) in proxy.missed {
            var catchUp = catchUps[version] ?? CatchUp(queue: emptyQueue)
            for write in writes { catchUp.queue.append(write) }
            catchUps[version] = catchUp
        }
        proxy.missed = [:]
        for (version, keys) in proxy.unlike
        where !mends.contains(where: { $0.version == version && $0.keys == keys }) {
            mends.append(Mend(version: version, keys: keys, hold: proxy.hold(keys)))
        }
        let ready = catchUps.keys.sorted().filter { catchUps[$0]?.next.map { proxy.isHeld($0.hold) } ?? true }
        return ready.map { .catchUp($0) } + mends.indices.filter { proxy.isHeld(mends[$0].hold) }.map { .mend($0) }
    }

    private var emptyQueue: CatchUpQueue { CatchUpQueue(limits: limits, copiesKeys: copier != nil) }

    mutating func catchUp(_ version: Version) throws {
        let countMax = limits.copiedKeysMax
        guard let next = catchUps[version]?.next else {
            guard let step = catchUps[version]?.queue.next(countMax) else {
                catchUps[version] = nil
                proxy.behind.removeAll { $0 == version }
                return
            }
            let hold = proxy.hold(keys(of: step))
            catchUps[version]?.next = (step, hold)
            return
        }
        catchUps[version]?.next = nil
        // While its turn was waited for, a copy may have done some of what is to be replayed.
        if case .replay = next.step, catchUps[version]?.queue.next(countMax) != next.step {
            return proxy.release(next.hold)
        }
        try perform(next.step, version)
        proxy.release(next.hold)
    }

    mutating func mend(_ index: Int) throws {
        let mend = mends.remove(at: index)
        let isKnown = { (one: (version: Version, keys: Keys)) in one.version == mend.version && one.keys == mend.keys }
        if proxy.behind.contains(mend.version) || source(for: mend.version, in: mend.keys) == nil {
            // It is down, or the other one is: it gets them when it is up again.
            proxy.unlike.removeAll(where: isKnown)
            proxy.miss(MissedWrite(mend.keys, .copy), mend.version, isDown: true)
        } else {
            try copy(mend.keys.names ?? [], to: mend.version)
            proxy.unlike.removeAll(where: isKnown)
        }
        proxy.release(mend.hold)
    }

    private func keys(of step: CatchUpQueue.Step) -> Keys {
        switch step {
        case .replay(let writes, _): writes.reduce(.none) { $0.union($1.keys) }
        case .copy(let keys, _): Keys(keys)
        case .everything: .everything
        }
    }

    private mutating func perform(_ step: CatchUpQueue.Step, _ version: Version) throws {
        switch step {
        case .replay(let writes, let through):
            for write in writes {
                guard case .replay(let bytes, let prelude) = write.content else { continue }
                for request in prelude + [bytes] { _ = hand(request, to: version) }
            }
            catchUps[version]?.queue.done(through: through)
        case .copy(let keys, let through):
            try copy(keys, to: version)
            catchUps[version]?.queue.done(through: through)
        case .everything:
            guard let copier, let source = source(for: version) else { return }
            var run = self
            let keys = try copier.keys { requests throws(VerificationFailure) in try run.ask(requests, of: source) }
                .union(copier.keys { requests throws(VerificationFailure) in try run.ask(requests, of: version) })
            self = run
            try copy(Array(keys), to: version)
            let queue = emptyQueue
            catchUps[version]?.queue = queue
        }
    }

    private mutating func copy(_ keys: [ByteBuffer], to version: Version) throws {
        guard let copier else { return }
        guard let source = source(for: version, in: Keys(keys)) ?? source(for: version) else {
            throw VerificationFailure("no version has all of the state that version \(version) misses, seed \(seed)")
        }
        for key in keys {
            let state = try ask(copier.read(key), of: source)
            _ = try ask(try copier.install(key, state, proxy.milliseconds), of: version)
        }
        catchUps[version]?.queue.copied(keys)
    }

    /// The version whose state is the truth for another.
    private func source(for version: Version, in keys: Keys = .none) -> Version? {
        let sound = proxy.versions.complete.filter { other in
            other != version && !proxy.behind.contains(other)
                && !proxy.unlike.contains { $0.version == other && $0.keys.overlaps(keys) }
        }
        return sound.last { proxy.versions.role(of: $0) == .full } ?? sound.last
    }

    // MARK: The proxy's own connections

    private mutating func ask(
        _ requests: [Adapter.Request], of version: Version
    ) throws(VerificationFailure) -> [Adapter.Reply] {
        var replies: [Adapter.Reply] = []
        for request in requests {
            do throws(ProxyError) {
                guard let answer = hand(try adapter.encode(request, for: version), to: version) else { continue }
                var bytes = PeekBuffer(answer)
                guard let reply = try adapter.parseReply(&bytes, to: request, from: version) else { continue }
                replies.append(reply)
            } catch {
                throw VerificationFailure("version \(version) does not answer \(request): \(error), seed \(seed)")
            }
        }
        guard replies.count == requests.count else {
            throw VerificationFailure("version \(version) does not answer \(requests), seed \(seed)")
        }
        return replies
    }

    /// One request on the proxy's own connection.
    private mutating func hand(_ request: ByteBuffer, to version: Version) -> ByteBuffer? {
        var bytes = PeekBuffer(request)
        return versions[version]?.answer(&bytes)
    }
}
