import ExampleFleet
package import VersionKitModel
import VersionKitProcesses
package import VersionKitTestbed

/// Fills a Redis with keys of all types, as fast as redis-benchmark can: what was there before anybody upgraded.
package enum Filling {
    /// Where keys are drawn from: so many that hardly any is drawn twice.
    private static let names = "2000000000"

    /// The commands, one key each.
    private static let commands = [
        "SET fill:s:__rand_int__ a-text-for-__rand_int__",
        "SET fill:x:__rand_int__ gone-in-a-week EX 604800",
        "HSET fill:h:__rand_int__ name alpha colour blue size __rand_int__",
        "RPUSH fill:l:__rand_int__ one two three four five __rand_int__",
        "SADD fill:e:__rand_int__ 1 2 3 __rand_int__ red",
        "ZADD fill:z:__rand_int__ 1 one 2 two 3 three 4 __rand_int__",
    ]

    /// Fills the server at an address that the host reaches. Nothing else may write meanwhile: this goes past the proxy.
    package static func fill(_ server: IPAddress, from host: TestbedHost, keys: Int) async throws {
        let share = keys / commands.count
        for (index, command) in commands.enumerated() {
            let count = index == 0 ? keys - share * (commands.count - 1) : share
            guard count > 0 else { continue }
            let result = try await tryOnThread("fill") {
                try host.run(
                    "redis-benchmark",
                    [
                        "-h", "\(server)", "-p", "\(RedisReleases.port)", "-c", "4", "-P", "100", "-r", names,
                        "-n", "\(count)", "--csv",
                    ] + command.split(separator: " ").map(String.init))
            }
            guard result.exit.isSuccess, !result.output.contains("Error") else {
                throw FleetError("redis-benchmark could not fill Redis: \(result.output) \(result.errors)")
            }
        }
    }
}
