import ArgumentParser
import CFSClient
import CFSModel
import Foundation
import ONCRPC
import Synchronization

/// Stores and fetches.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Stores and fetches (the default).")

    enum Phase: String, CaseIterable, ExpressibleByArgument { case store, fetch, both }
    enum Kind: String, CaseIterable, ExpressibleByArgument { case chash, noauth, keyhash }

    @Argument(help: "What to do: store, fetch, or both.") var phase = Phase.both
    @Option(
        help:
            "Where the gateway is: HOST:PORT, or the path of a Unix socket. CFS_GATEWAY if not given, else /tmp/chord-sock."
    )
    var gateway: Address?
    @Option(help: "What it speaks: 2004 or 2008.") var form = Form.of2004
    @Option(help: "What the names of blocks prove: chash, noauth or keyhash.") var kind = Kind.chash
    @Option(help: "How many blocks.") var blocks = 512
    @Option(help: "Bytes of a block.") var size = 2048
    @Option(help: "Blocks under way at a time; 0, as the papers say it, is one.") var concurrency = 0
    @Option(help: "What the blocks follow from.") var seed: UInt64 = 1
    @Option(help: "How often a call is tried.") var attempts = 5
    @Option(help: "Seconds to wait for an answer.") var timeout = 60
    @Flag(help: "Print what each block did.") var trace = false
    @Flag(help: "Print the results for machines, a line for each phase.") var json = false

    func validate() throws {
        _ = try address()
        guard (1...10_000_000).contains(blocks) else { throw ValidationError("the blocks are 1 to 10000000") }
        guard (1...1_000_000).contains(size) else { throw ValidationError("a block has 1 to 1000000 bytes") }
        guard kind != .keyhash || size <= 65_536 else {
            throw ValidationError("a signed block has 65536 bytes at most")
        }
        guard (0...1024).contains(concurrency) else { throw ValidationError("the concurrency is 0 to 1024") }
        guard (1...100).contains(attempts), (1...3600).contains(timeout) else {
            throw ValidationError("1 to 100 attempts, 1 to 3600 seconds")
        }
    }

    func run() async throws {
        let kinds: [Kind: GatewayBlockKind] = [.chash: .contentHash, .noauth: .unauthenticated, .keyhash: .keyHash]
        let load = Load(
            kind: kinds[kind] ?? .contentHash, count: blocks, size: size, seed: seed,
            version: UInt32(clamping: Int(Date().timeIntervalSince1970)))
        var options = GatewayClient.Options(form.value)
        options.concurrency = max(1, concurrency)
        options.patience.attempts = attempts
        options.callTime = .seconds(timeout)
        let client = GatewayClient(to: try address().value, options)
        var (failures, wrong) = (0, 0)
        for isStoring in [true, false] where phase == .both || (phase == .store) == isStoring {
            let measurement = try await measure(load, client, isStoring: isStoring)
            failures += measurement.failures
            wrong += measurement.wrong
        }
        await client.close()
        if wrong > 0 { throw ExitCode(65) }
        if failures > 0 { throw ExitCode(69) }
    }

    private func address() throws -> Address {
        if let gateway { return gateway }
        guard let text = ProcessInfo.processInfo.environment["CFS_GATEWAY"], !text.isEmpty else {
            return Address(.standardGateway)
        }
        guard let address = Address(argument: text) else {
            throw ValidationError("CFS_GATEWAY is not an address of a gateway: \(text)")
        }
        return address
    }

    private func measure(_ load: Load, _ client: GatewayClient, isStoring: Bool) async throws -> Measurement {
        let retriesBefore = client.counters.retries
        let next = Tickets()
        let began = ContinuousClock.now
        let samples = try await withThrowingTaskGroup(of: [Sample].self) { group in
            for _ in 0..<max(1, concurrency) {
                group.addTask {
                    var samples: [Sample] = []
                    while true {
                        let index = next.take()
                        guard index < load.count else { return samples }
                        samples.append(try await Self.sample(load, client, index, isStoring: isStoring))
                    }
                }
            }
            return try await group.reduce(into: [Sample]()) { $0 += $1 }
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let measurement = Measurement(
            isStoring ? "store" : "fetch", load, concurrency: concurrency, samples, seconds: seconds,
            clientRetries: client.counters.retries - retriesBefore)
        if trace {
            for sample in samples.sorted(by: { $0.index < $1.index }) {
                print(
                    "\(sample.name) / \(String(format: "%.3f", sample.milliseconds)) ms / \(sample.retries) retries / "
                        + "\(sample.hops) hops\(sample.failure.map { " / \($0)" } ?? "")\(sample.isWrong ? " / wrong" : "")"
                )
            }
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            print(String(decoding: try encoder.encode(measurement), as: UTF8.self))
        } else {
            print(measurement.line)
        }
        if let failed = samples.first(where: { $0.failure != nil }), let failure = failed.failure {
            let more = measurement.failures > 1 ? "; \(measurement.failures - 1) more failed" : ""
            FileHandle.standardError.write(Data("cfs-dbm: block \(failed.name): \(failure)\(more)\n".utf8))
        }
        return measurement
    }

    private static func sample(
        _ load: Load, _ client: GatewayClient, _ index: Int, isStoring: Bool
    ) async throws -> Sample {
        let (name, bytes) = isStoring ? try load.block(index) : (try load.name(index), nil)
        let began = ContinuousClock.now
        func milliseconds() -> Double { (ContinuousClock.now - began) / .milliseconds(1) }
        do throws(GatewayError) {
            if let bytes {
                let path = try await client.insert(name, load.kind, bytes)
                return Sample(index: index, name: name, milliseconds: milliseconds(), hops: path.count, retries: 0)
            }
            guard let found = try await client.retrieve(name, load.kind) else {
                return Sample(
                    index: index, name: name, milliseconds: milliseconds(), hops: 0, retries: 0, failure: "not there")
            }
            return Sample(
                index: index, name: name, milliseconds: milliseconds(), hops: found.hops, retries: found.retries,
                isWrong: !load.isRight(found.bytes, index))
        } catch {
            return Sample(
                index: index, name: name, milliseconds: milliseconds(), hops: 0, retries: 0, failure: "\(error)")
        }
    }
}

/// Numbers, each of which is given once.
private final class Tickets: Sendable {
    private let next = Mutex(0)

    func take() -> Int {
        next.withLock { next in
            defer { next += 1 }
            return next
        }
    }
}
