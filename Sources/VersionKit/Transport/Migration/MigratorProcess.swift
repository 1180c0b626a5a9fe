import Glibc
internal import VersionKitModel
public import VersionKitUpgrade

/// The whole of a migrator's executable, but for the ``Migrator``:
///
/// ```swift
/// @main struct MyMigration {
///     static func main() async { await MigratorProcess.run(MyMigrator()) }
/// }
/// ```
///
/// Called by `versiond` as `my-migrate OLD=ADDRESS:PORT NEW=ADDRESS:PORT`. It prints lines `progress EXAMINED COPIED`
/// to standard output and ends with 0, or with 1 and the reason as the last line of standard error.
public enum MigratorProcess {
    /// Runs the migration that the command line names, and ends the process.
    public static func run(_ migrator: some Migrator) async -> Never {
        let arguments = CommandLine.arguments.dropFirst().compactMap(end)
        guard arguments.count == 2, CommandLine.arguments.count == 3 else {
            complain("usage: \(CommandLine.arguments.first ?? "migrator") OLD=ADDRESS:PORT NEW=ADDRESS:PORT")
            exit(64)
        }
        do {
            try await migrator.migrate(from: arguments[0], to: arguments[1]) { progress in
                print("progress \(progress.examined) \(progress.copied)")
                fflush(nil)
            }
            exit(0)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

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

extension MigrationProgress {
    /// The progress that a line of a migrator's standard output tells of, or `nil` if it says something else.
    public init?(line: some StringProtocol) {
        let fields = line.split(separator: " ")
        guard fields.count == 3, fields[0] == "progress", let examined = UInt64(fields[1]),
            let copied = UInt64(fields[2])
        else { return nil }
        self.init(examined: examined, copied: copied)
    }
}
