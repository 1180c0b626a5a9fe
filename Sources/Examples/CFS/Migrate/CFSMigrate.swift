import CFSAdapter
import VersionKit

/// CFS' migrator.
@main
struct CFSMigrate {
    static func main() async { await MigratorProcess.run(CFSMigrator()) }
}
