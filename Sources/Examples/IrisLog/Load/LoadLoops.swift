import Glibc
import IrisLogCore
import IrisLogProtocol1
import IrisLogProtocol2

/// Where a load goes.
struct LoadTarget: Sendable {
    var generation: Int
    var host: String
    var port: Int
    var node: String
    var everywhere: String
    var sensor: String

    /// A connection of its own, in the load's protocol.
    func connect() async throws -> any IrisLogClient {
        if generation == 1 { return try await IrisLogClient1.connect(host: host, port: port) }
        return try await IrisLogClient2.connect(host: host, port: port)
    }
}

/// Updates the node with this host's readings, over one connection that stays open.
struct UpdateLoop {
    let target: LoadTarget
    let report: SharedReport
    let pause: Int

    func run() async {
        var client: (any IrisLogClient)?
        var sequence: UInt64 = 0
        while !report.isStopping {
            sequence += 1
            let value = HostReadings.read().first?.value ?? "0"
            do {
                let connected: any IrisLogClient
                if let client { connected = client } else { connected = try await target.connect() }
                client = connected
                try await connected.update(
                    path: target.node, sensor: target.sensor, sequence: sequence, at: milliseconds(), value: value)
                report.count()
                report.change { $0.acknowledged[sequence] = value }
            } catch {
                report.count(failure: "update: \(error)")
                await client?.close()
                client = nil
            }
            try? await Task.sleep(for: .milliseconds(pause))
        }
        await client?.close()
    }

    private func milliseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}

/// Queries the node, and now and then all nodes: an answer with fewer of them than ever before is a failure.
struct QueryLoop {
    /// One query of all nodes to so many of the node alone.
    private static let everywhereInterval = 5

    let target: LoadTarget
    let report: SharedReport
    let pause: Int

    func run() async {
        var client: (any IrisLogClient)?
        var round = 0
        while !report.isStopping {
            round += 1
            do {
                let connected: any IrisLogClient
                if let client { connected = client } else { connected = try await target.connect() }
                client = connected
                try await ask(connected, everywhere: round.isMultiple(of: Self.everywhereInterval))
            } catch {
                report.count(failure: "query: \(error)")
                await client?.close()
                client = nil
            }
            try? await Task.sleep(for: .milliseconds(pause))
        }
        await client?.close()
    }

    private func ask(_ client: any IrisLogClient, everywhere: Bool) async throws {
        guard everywhere else {
            let hadUpdates = !report.value.acknowledged.isEmpty
            let items = try await client.query("\(target.node)/current")
            report.count(failure: items.isEmpty && hadUpdates ? "query: the node has no readings" : nil)
            return
        }
        let start = ContinuousClock.now
        let count = try await client.query(target.everywhere).count
        let seen = report.value.nodesSeen
        // A server that waited for another one's answer in vain took its whole patience.
        let wait = ContinuousClock.now - start < Limits.patience ? "" : " after waiting in vain"
        report.count(failure: count < seen ? "query: an answer with \(count) of \(seen) nodes\(wait)" : nil)
        report.change { $0.nodesSeen = max($0.nodesSeen, count) }
    }
}

/// Reads back what was acknowledged.
struct ReadBack {
    /// For how long it is tried: a server that is just being started again answers nothing, and has lost nothing by that.
    private static let limit = Duration.seconds(20)
    private static let pause = Duration.milliseconds(100)

    let target: LoadTarget
    let report: SharedReport

    func run() async {
        do {
            let items = try await readings()
            let found = Dictionary(items.compactMap(parse)) { first, _ in first }
            report.change { report in
                report.lost = report.acknowledged.filter { found[$0.key] != $0.value }.count
            }
        } catch {
            report.change { report in
                report.lost = report.acknowledged.count
                report.failures["reading back: \(error)", default: 0] += 1
            }
        }
    }

    private func readings() async throws -> [String] {
        let deadline = ContinuousClock.now + Self.limit
        while true {
            do {
                let client = try await target.connect()
                do {
                    let items = try await client.query("\(target.node)/reading[@sensor='\(target.sensor)']")
                    await client.close()
                    return items
                } catch {
                    await client.close()
                    throw error
                }
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    /// `<reading sensor="s" sequence="17" at="..">0.53</reading>`
    private func parse(_ item: String) -> (UInt64, String)? {
        guard let sequence = item.split(separator: "sequence=\"", maxSplits: 1).last?.split(separator: "\"").first,
            let number = UInt64(sequence),
            let value = item.split(separator: ">", maxSplits: 1).last?.split(separator: "<").first
        else { return nil }
        return (number, String(value))
    }
}
