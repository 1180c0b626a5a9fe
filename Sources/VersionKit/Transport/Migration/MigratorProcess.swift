import Glibc
internal import Synchronization
internal import VersionKitModel
public import VersionKitUpgrade

/// The whole of a migrator's executable, but for the ``Migrator``:
///
/// ```swift
/// static func main() async { await MigratorProcess.run(IrisLogMigrator()) }
/// ```
///
/// Called by `versiond` as `my-migrate OLD=ADDRESS:PORT NEW=ADDRESS:PORT`. It prints lines `progress EXAMINED COPIED`,
/// `token TOKEN` and `verified RECORDS` to standard output and ends with 0, or with 1 and the reason as the last line of
/// standard error: docs/pipeline.md.
public enum MigratorProcess {
    /// The variable with the last token of a run that came to no end.
    public static let tokenVariable = "VERSIONKIT_MIGRATION_TOKEN"

    /// Runs the migration that the command line names, and ends the process.
    public static func run(_ migrator: some Migrator) async -> Never {
        let arguments = CommandLine.arguments.dropFirst().compactMap(end)
        guard arguments.count == 2, CommandLine.arguments.count == 3 else {
            complain("usage: \(CommandLine.arguments.first ?? "migrator") OLD=ADDRESS:PORT NEW=ADDRESS:PORT")
            exit(64)
        }
        do {
            try await migrator.run(run(from: arguments[0], to: arguments[1]))
            exit(0)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    private static func run(from source: MigrationEnd, to destination: MigrationEnd) -> MigrationRun {
        let pace = Mutex(MigrationPace(MigrationRate(variables: variable)))
        let start = ContinuousClock.now
        return MigrationRun(
            from: source, to: destination, token: variable(tokenVariable),
            say: { line in
                print(line)
                fflush(nil)
            },
            wait: { records, bytes in
                let delay = pace.withLock { $0.take(records: records, bytes: bytes, at: ContinuousClock.now - start) }
                if delay > .zero { try await Task.sleep(for: delay) }
            })
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// One argument, `2=10.77.0.2:7000`.
    static func end(_ argument: String) -> MigrationEnd? {
        let parts = argument.split(separator: "=")
        guard parts.count == 2, let version = Version(String(parts[0])), let client = Endpoint(String(parts[1])) else {
            return nil
        }
        return MigrationEnd(version: version, client: client)
    }

    private static func complain(_ message: String) {
        let line = message + "\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
