import IrisLogAdapter
import VersionKit

/// IrisLog's application proxy.
@main
struct IrisLogProxy {
    static func main() async throws { try await ProxyProcess.run(IrisLogAdapter()) }
}
