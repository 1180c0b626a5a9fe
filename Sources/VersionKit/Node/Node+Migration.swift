import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitReleases
import VersionKitTransport
import VersionKitUpgrade

/// The stage Migrate: by the release's migrator, or key by key by its proxy.
extension Node {
    /// Lines of a migrator that may wait; of more the oldest are dropped, as later ones say more.
    private static let migratorLinesMax = 64
    /// How long to wait before a migrator that was killed is started again.
    private static let migratorDelay = Duration.seconds(1)

    func migrate(_ id: ApplicationID, from predecessor: Version?, to version: Version) async throws {
        // Of two releases only the newer one knows both.
        let knowing = max(version, predecessor ?? version)
        // From here on clients write to both versions, so that nothing is missed while the old state is copied.
        try await updateProxy(id, program: knowing)
        guard let predecessor else { return }
        let manifest = try running(id, knowing).manifest
        guard manifest.migrator != nil else { return try await waitUntilFilled(id, version) }
        try await runMigrator(.first, of: manifest, id, from: predecessor, to: version)
        changeReport(.first, id, version) { $0.succeed(at: time.steady) }
    }

    /// Runs a release's migrator, again if it was killed or lost one of its ends, until it is done.
    func runMigrator(
        _ pass: MigrationPass, of manifest: ReleaseManifest, _ id: ApplicationID, from predecessor: Version,
        to version: Version
    ) async throws {
        guard let command = manifest.migrator else { throw NodeError("the release of \(id) has no migrator") }
        let program = try store.file(command[0], of: manifest)
        let ends = try [predecessor, version].map { end in
            guard let endpoint = applications[id]?.clientEndpoints[end] else {
                throw NodeError("version \(end) of \(id) has no port for clients")
            }
            return "\(end)=\(endpoint)"
        }
        while true {
            try await waitUntilStarted(id, predecessor)
            changeReport(pass, id, version) { $0.begin() }
            let starts = starts(id, predecessor, version)
            CrashPoint.reach("\(pass.title) of version \(version)")
            let result = try await runMigrator(
                pass, program, command.dropFirst() + ends, id, version, rate: migrationRate(id, manifest))
            if result.exit.isSuccess { return }
            try await Task.sleep(for: Self.migratorDelay)
            var isToBlame = starts == self.starts(id, predecessor, version)
            if case .signal = result.exit { isToBlame = false }
            guard !isToBlame, applications[id]?.records[version]?[pass]?.mayTryAgain == true else {
                let output = result.output.split(separator: "\n").last ?? ""
                throw NodeError("the migrator ended with \(result.exit): \(output)")
            }
            note("\(pass.title) of version \(version) of \(id) ended with \(result.exit); it goes on", level: .error)
        }
    }

    /// Which environments versions have; if others, or none, a migrator may have lost one of its ends meanwhile.
    private func starts(_ id: ApplicationID, _ versions: Version...) -> [Int?] {
        versions.map { applications[id]?.running[$0]?.number }
    }

    /// Waits for a version that ended, and that somebody else starts again.
    private func waitUntilStarted(_ id: ApplicationID, _ version: Version) async throws {
        while let application = applications[id], application.starting.contains(version) {
            try await Task.sleep(for: Self.migratorDelay)
        }
    }

    /// How quickly state may be copied: the node's word counts before the release's.
    func migrationRate(_ id: ApplicationID, _ manifest: ReleaseManifest) -> MigrationRate? {
        applications[id]?.settings.migration ?? manifest.migration
    }

    private func runMigrator(
        _ pass: MigrationPass, _ program: String, _ arguments: [String], _ id: ApplicationID, _ version: Version,
        rate: MigrationRate?
    ) async throws -> Command.Result {
        var variables = rate?.variables ?? []
        if let token = applications[id]?.records[version]?[pass]?.token {
            variables.append("\(MigratorProcess.tokenVariable)=\(token)")
        }
        let (lines, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(Self.migratorLinesMax))
        let listener = Task { for await line in lines { self.heardFromMigrator(line, pass, id, version) } }
        defer { continuation.finish() }
        let result = try await Command.run(program, arguments, endsWithTask: true, variables: variables) {
            continuation.yield($0)
        }
        continuation.finish()
        await listener.value
        return result
    }

    private func heardFromMigrator(_ line: String, _ pass: MigrationPass, _ id: ApplicationID, _ version: Version) {
        CrashPoint.reach("'\(line)' of the migrator")
        guard var report = applications[id]?.records[version]?[pass] else { return }
        if report.heard(line) {
            change(id, version) { $0[pass] = report }
        } else {
            // In the journal with the next token, or at the end.
            applications[id]?.records[version]?[pass] = report
        }
        if pass == .first { noteMigration(id, version, report.progress) }
    }

    func changeReport(
        _ pass: MigrationPass, _ id: ApplicationID, _ version: Version, _ body: (inout MigrationReport) -> Void
    ) {
        change(id, version) { record in
            var report = record[pass] ?? MigrationReport(startedAt: time.steady)
            body(&report)
            record[pass] = report
        }
    }

    /// The proxy itself copies an application's state key by key, if its adapter knows keys.
    private func waitUntilFilled(_ id: ApplicationID, _ version: Version) async throws {
        changeReport(.first, id, version) { $0.begin() }
        try await applications[id]?.proxy?.waitUntilUpToDate(version) { writes in
            CrashPoint.reach("\(writes.examined[version, default: 0]) keys looked at for version \(version)")
            await self.noteMigration(
                id, version,
                MigrationProgress(
                    examined: writes.examined[version, default: 0], copied: writes.copied[version, default: 0]))
        }
        changeReport(.first, id, version) { report in
            if let progress = applications[id]?.migrations[version] { report.progress = progress }
            // The proxy compares all keys of both.
            report.verified = report.progress.examined
            report.succeed(at: time.steady)
        }
    }

    private func noteMigration(_ id: ApplicationID, _ version: Version, _ progress: MigrationProgress) {
        applications[id]?.migrations[version] = progress
    }

    /// Goes on with a version to which state was copied when versiond was killed: what it has is not copied again. If it does not
    /// run any more, the upgrade starts over.
    func resumeMigration(_ id: ApplicationID, _ version: Version) async {
        guard let application = applications[id] else { return }
        do {
            guard try await adopt(application, version) else { throw NodeError("it does not run any more") }
            try await waitUntilHealthy(id, version)
        } catch {
            note("the upgrade of \(id) to version \(version) starts over: \(error)")
            await halt(id, version, teardown: .immediate)
            change(id, version) { record in
                _ = record.pipeline.recover()
                record.migration = nil
            }
        }
    }
}

/// Which of the two runs of its migrator a release is in.
enum MigrationPass {
    /// In the stage Migrate, before the version serves.
    case first
    /// Before the version that it takes the place of goes.
    case last

    /// What it is called, before "of version N".
    var title: String {
        switch self {
        case .first: "the migrator"
        case .last: "the last run of the migrator"
        }
    }
}

extension VersionRecord {
    /// The report of one of the two.
    subscript(_ pass: MigrationPass) -> MigrationReport? {
        get {
            switch pass {
            case .first: migration
            case .last: lastMigration
            }
        }
        set {
            switch pass {
            case .first: migration = newValue
            case .last: lastMigration = newValue
            }
        }
    }
}
