import BenchFigures
import BenchPrograms
import Foundation
import Glibc

extension Lane {
    /// Processor time of versiond for a request that the kernel carries: none but for rounding. A relay takes five times
    /// as much on its fastest day.
    private static let microsecondsPerKernelRequest = 5.0
    /// So many requests show it: a relay's time for them is many ticks of the clock.
    private static let requestsMin = 3000.0
    private static let learningSeconds = 30.0

    /// Two hosts with versiond, each running the echo server as its application.
    static func versionKit(_ variant: RouterVariant, _ release: BenchRelease, _ bench: RouterBench) throws -> Lane {
        let pair = try HostPair("vk" + (variant.kernelPath ?? ""), on: bench)
        let path = variant.kernelPath ?? "none"
        let b = try ManagedHost.start(
            "b", address: HostPair.addressB, on: pair.b, kernelPath: path, releases: [release], bench)
        let a = try ManagedHost.start(
            "a", address: HostPair.addressA, on: pair.a, kernelPath: path, releases: [release], bench)
        _ = try b.install(release, bench)
        let application = try a.install(release, bench)
        let lane = Lane(
            variant: variant, client: Namespace(of: application), server: HostPair.addressB,
            relays: [a.process.id, b.process.id])
        do {
            try lane.waitUntilReady(seconds: 30, on: bench)
        } catch {
            throw BenchError("\(error)\n  \(a.process.lastWords)\n  \(b.process.lastWords)")
        }
        guard variant != .slow else { return lane }
        try lane.waitUntilLearned(.ping(bytes: 64, connections: 20, seconds: 0.5), bench)
        do {
            try lane.waitUntilLearned(.datagrams(bytes: 512, window: 32, seconds: 0.5), bench)
        } catch {
            bench.lack(variant, measure: 5, error)
        }
        return lane
    }

    /// Tries until versiond has no part in requests any more.
    private func waitUntilLearned(_ order: LoadOrder, _ bench: RouterBench) throws {
        let deadline = Date().addingTimeInterval(Self.learningSeconds)
        var requests = 0.0
        var seconds = 0.0
        while true {
            let (result, cost) = try run(order, on: bench)
            requests += result["count"] ?? 0
            seconds += cost.relays
            if requests >= Self.requestsMin {
                let microseconds = seconds * 1e6 / requests
                if microseconds < Self.microsecondsPerKernelRequest { return }
                guard Date() < deadline else {
                    throw BenchError(
                        "versiond carries \(order.name) itself, \(microseconds.text(digits: 0)) us of processor time "
                            + "each: the kernel path \(variant.kernelPath ?? "") is not in use")
                }
                (requests, seconds) = (0, 0)
            } else if Date() >= deadline {
                throw BenchError("only \(requests.text(digits: 0)) came back (\(order.name))")
            }
            usleep(200_000)
        }
    }
}
