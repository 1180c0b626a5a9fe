import MemcachedAdapter
import VersionKit

/// memcached's application proxy.
@main
struct MemcachedProxy {
    static func main() async throws { try await ProxyProcess.run(MemcachedAdapter()) }
}
