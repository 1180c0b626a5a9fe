import RedisAdapter
import VersionKit

/// Redis's application proxy.
@main
struct RedisProxy {
    static func main() async throws { try await ProxyProcess.run(RedisAdapter()) }
}
