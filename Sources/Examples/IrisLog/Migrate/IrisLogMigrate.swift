import IrisLogAdapter
import VersionKit

/// IrisLog's migrator.
@main
struct IrisLogMigrate {
    static func main() async { await MigratorProcess.run(IrisLogMigrator()) }
}
