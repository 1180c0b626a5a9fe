import DocumentationSamples
import VersionKit

/// An application for the test on a Xen host, all of it in one program that any root file system does for.
///
///     xen-counter serve VERSION PORT FILE    answers lines: "set N" has it count at least to N, which FILE outlives it;
///                                            "get" is answered with "VERSION N"
///     xen-counter reach HOST:PORT            prints the line that a server sends there
///     xen-counter                            its proxy, started by versiond
///     xen-counter OLD=HOST:PORT NEW=HOST:PORT    its migrator, also by versiond
@main
enum XenCounter {
    static func main() async throws {
        let words = CommandLine.arguments
        switch (words.dropFirst().first, words.count) {
        case ("serve", 5): try Counter(version: words[2], file: words[4]).serve(at: UInt16(words[3]) ?? 0)
        case ("reach", 3): try print(line(from: Endpoint(words[2])!), terminator: "")
        case (_, 3): await MigratorProcess.run(CounterMigrator())
        default: try await ProxyProcess.run(EchoAdapter())
        }
    }
}

/// A count only grows: what clients write meanwhile, to both versions, is safe from the copy.
private struct CounterMigrator: Migrator {
    func migrate(
        from source: MigrationEnd, to destination: MigrationEnd, progress: @Sendable (MigrationProgress) -> Void
    ) async throws {
        let adapter = EchoAdapter()
        let answer = try await VersionClient.ask("get", of: source, through: adapter)
        _ = try await VersionClient.ask("set \(answer.split(separator: " ")[1])", of: destination, through: adapter)
        progress(MigrationProgress(examined: 1, copied: 1))
    }
}
