import VersionKitModel
import VersionKitProxy

/// What a proxy writes down of what versions lack, and what another makes of it after this one was killed.
extension InMemoryProxy {
    /// A log is what can be read of it.
    struct Log {
        var versions: [Version: CatchUpRecovery] = [:]
        /// The records of keys that are copied meanwhile.
        var records: [VersionStandings.Unlike: UInt64] = [:]

        fileprivate mutating func add(_ record: CatchUpRecord, _ version: Version) {
            versions[version, default: CatchUpRecovery()].add(record)
        }
    }

    /// Whether it was killed.
    var isDead: Bool { actionsLeft == 0 }

    /// Counts one thing that the proxy does.
    ///
    /// - Returns: whether it still lives to do it.
    mutating func acts() -> Bool {
        guard let left = actionsLeft else { return true }
        actionsLeft = max(0, left - 1)
        return left > 0
    }

    mutating func note(_ unlike: VersionStandings.Unlike) {
        guard !isDead else { return }
        guard logsKeys else {
            // As if the newest version alone could be taken for the truth wrongly.
            let newest = VersionStandings(versions: versions, behind: [], unlike: []).authority()
            return unlike.version == newest ? note(everythingOf: unlike.version) : ()
        }
        let sequence = (log.versions[unlike.version]?.lastSequence ?? 0) + 1
        log.add(.missed(MissedWrite(unlike.keys, .copy), sequence: sequence), unlike.version)
        log.records[unlike] = sequence
    }

    mutating func note(everythingOf version: Version) {
        if !isDead { log.add(.everything, version) }
    }

    mutating func note(doubtOf version: Version) {
        if !isDead { log.add(.doubted, version) }
    }

    mutating func note(copied unlike: VersionStandings.Unlike) {
        guard !isDead else { return }
        if let sequence = log.records.removeValue(forKey: unlike) {
            log.add(.copied(sequence: sequence), unlike.version)
        }
        forgetIfWhole(unlike.version)
    }

    /// The log of a version that is not behind says no more than which keys are on their way to it.
    mutating func forgetIfWhole(_ version: Version) {
        guard !isDead, !behind.contains(version), !doubted.contains(version) else { return }
        let lacking = unlike.filter { $0.version == version }
        guard lacking.isEmpty || logsKeys else { return }
        log.versions[version] = nil
        for (version, keys) in lacking { note(.init(version: version, keys: keys)) }
    }

    /// The proxy that is started when this one was killed: no clients, and what the logs say.
    func restarted() -> Self {
        var next = Self(adapter, versions: versions, limits: limits)
        (next.sharesConnections, next.copiesMeanwhile) = (sharesConnections, copiesMeanwhile)
        next.logsKeys = logsKeys
        (next.ordersWrites, next.milliseconds, next.answered) = (ordersWrites, milliseconds, answered)
        (next.needed, next.diverged) = (needed, diverged)
        next.log = log
        next.log.records = [:]
        guard versions.count > 1 else { return next }
        let logs = log.versions.filter { versions.contains($0.key) && !$0.value.isEmpty }
        let recovered = RecoveredStandings(versions: versions, logs: logs)
        next.diverged += recovered.diverged.sorted()
        next.doubted = recovered.doubted
        for version in recovered.behind.sorted() {
            next.behind.append(version)
            next.missed[version] = [MissedWrite(.everything, .copy)]
        }
        for (lack, sequence) in recovered.unlike {
            next.unlike.append((lack.version, lack.keys))
            next.log.records[lack] = sequence
        }
        for version in logs.keys.sorted() { next.forgetIfWhole(version) }
        let sound = VersionStandings(
            versions: versions, behind: recovered.behind.union(recovered.doubted), unlike: recovered.unlike.map(\.lack))
        let truth = sound.authority() ?? next.standings.authority()
        for version in versions where version != truth { next.distrust(version) }
        return next
    }
}
