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
        let ready = catchUps.keys.sorted().filter { version in
            guard let next = catchUps[version]?.next else { return true }
            return proxy.isHeld(next.hold) && (next.step != .everything || proxy.isSettled)
        }
        return ready.map { .catchUp($0) } + mends.indices.filter { proxy.isHeld(mends[$0].hold) }.map { .mend($0) }
    }

    private var emptyQueue: CatchUpQueue { CatchUpQueue(limits: limits, copiesKeys: copier != nil) }

    mutating func catchUp(_ version: Version) throws {
        let countMax = limits.copiedKeysMax
        guard let next = catchUps[version]?.next else {
            guard let step = catchUps[version]?.queue.next(countMax) else {
                catchUps[version] = nil
                proxy.caughtUp(version)
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
        do {
            try perform(next.step, version)
        } catch is Interrupted {
            guard proxy.acts() else { return }
            proxy.distrust(version)
        }
        proxy.release(next.hold)
    }

    mutating func mend(_ index: Int) throws {
        let mend = mends.remove(at: index)
        do {
            try copy(mend.keys.names ?? [], to: mend.version)
            guard proxy.acts() else { return }
            proxy.mended(mend.version, mend.keys)
        } catch is Interrupted {
            guard proxy.acts() else { return }
            // If it cannot be compared as a whole yet, it is tried again.
            if proxy.miss(MissedWrite(mend.keys, .copy), mend.version, isDown: true) {
                proxy.mended(mend.version, mend.keys)
            }
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
            var isRefused = false
            for write in writes {
                guard case .replay(let bytes, let prelude) = write.content else { continue }
                isRefused = isRefused || happens(faults.refused)
                guard !isRefused else { continue }
                for request in prelude + [bytes] { _ = try hand(request, to: version) }
            }
            if isRefused {
                guard let names = keys(of: step).names else { throw Interrupted() }
                try copy(names, to: version)
            }
            catchUps[version]?.queue.done(through: through)
        case .copy(let keys, let through):
            try copy(keys, to: version)
            catchUps[version]?.queue.done(through: through)
        case .everything:
            guard let copier else { return }
            guard let source = proxy.standings.authority(for: version) else { throw Interrupted() }
            var run = self
            defer { self = run }
            // What the one lacks that is listed, only another has.
            let lacking = proxy.unlike.filter { $0.version == source }.flatMap { $0.keys.names ?? [] }
            let keys = try copier.keys { try run.ask($0, of: source) }.union(
                copier.keys { try run.ask($0, of: version) }
            ).union(lacking)
            for key in keys.sorted(by: { String(buffer: $0) < String(buffer: $1) }) {
                try run.copy([key], to: version)
            }
            let empty = run.emptyQueue
            run.catchUps[version]?.queue = empty
        }
    }

    private mutating func copy(_ keys: [ByteBuffer], to version: Version) throws {
        guard let copier else { return }
        guard let source = proxy.standings.authority(for: version, in: Keys(keys)) else { throw Interrupted() }
        for key in keys {
            let state = try ask(copier.read(key), of: source)
            _ = try ask(try copier.install(key, state, proxy.milliseconds), of: version)
        }
        catchUps[version]?.queue.copied(keys)
    }

    // MARK: The proxy's own connections

    private mutating func ask(_ requests: [Adapter.Request], of version: Version) throws -> [Adapter.Reply] {
        var replies: [Adapter.Reply] = []
        for request in requests {
            do {
                guard let answer = try hand(try adapter.encode(request, for: version), to: version) else { continue }
                var bytes = PeekBuffer(answer)
                guard let reply = try adapter.parseReply(&bytes, to: request, from: version) else { continue }
                replies.append(reply)
            } catch let error as ProxyError {
                throw VerificationFailure("version \(version) does not answer \(request): \(error), seed \(seed)")
            }
        }
        guard replies.count == requests.count else {
            throw VerificationFailure("version \(version) does not answer \(requests), seed \(seed)")
        }
        return replies
    }

    /// One request on the proxy's own connection, which may end before it is done, or before it is answered.
    private mutating func hand(_ request: ByteBuffer, to version: Version) throws -> ByteBuffer? {
        guard proxy.acts() else { throw Interrupted() }
        let isLost = happens(faults.catchUpLost)
        if isLost, happens(50) { throw Interrupted() }
        var bytes = PeekBuffer(request)
        let answer = versions[version]?.answer(&bytes)
        if isLost { throw Interrupted() }
        return answer
    }
}

/// A connection of the proxy's own ended, or nobody has all that is to be copied: it is tried again.
private struct Interrupted: Error {}
