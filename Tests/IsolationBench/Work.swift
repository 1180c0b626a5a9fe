import VersionKitIsolation
import VersionKitModel

/// Fixed work, inside.
enum Work {
    private static let megabytes = 512
    private static let machineMegabytes = 64

    /// How much arithmetic and how many system calls take how long.
    static func compute(_ place: Workplace) async throws {
        let served = try await place.served(1)
        _ = try served.measure("compute 10")
        for _ in 0..<place.order.repeats {
            place.tell("compute", "arithmetic", try served.measure("compute 100"))
            place.tell("compute", "system calls", try served.measure("calls 100"))
        }
    }

    /// What the node gets from an environment, and one environment from another.
    static func network(_ place: Workplace) async throws {
        try await sh("echo 1 >/proc/sys/net/ipv4/ip_forward")
        let first = try await place.served(1)
        let second = try await place.served(2)
        let node = try place.local(3)
        try await node.waitUntilReady("app-3")
        // A machine's own kernel is slow at it.
        let megabytes = place.order.kind == .uml ? machineMegabytes : megabytes
        let order = "fetch \(first.endpoint.address) \(first.endpoint.port) \(megabytes)"
        for _ in 0..<place.order.repeats {
            place.tell("network", "from the node", try node.measure(order))
            place.tell("network", "from another", try second.measure(order))
        }
    }
}
