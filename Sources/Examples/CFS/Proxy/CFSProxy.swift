import CFSAdapter
import VersionKit

/// CFS' application proxy.
@main
struct CFSProxy {
    static func main() async throws { try await ProxyProcess.run(CFSAdapter()) }
}
