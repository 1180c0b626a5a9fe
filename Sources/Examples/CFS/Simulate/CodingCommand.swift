import ArgumentParser
import CFSRing
import CFSSimulation

/// How fast blocks become fragments, and fragments blocks.
struct CodingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coding", abstract: "Measures the coding of blocks in megabytes a second.")

    @Option(help: "Bytes of a block.") var length = 8192
    @Option(help: "How many blocks.") var blocks = 500
    @Option(help: "Seed of the blocks and coefficients.") var seed: UInt64 = 1

    @Option(help: "Generation of the coding: 1 or 2.", transform: Generation.named) var generation = Generation.first

    func run() throws {
        if generation == .second { return try runSecond() }
        var random = SeededRandom(seed: seed)
        let needed = min(7, Dispersal.fragmentsNeeded(length: length, packetBytes: 1210))
        let contents = (0..<blocks).map { _ in (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) } }
        let clock = ContinuousClock()
        var stored: [[[UInt8]]] = []
        let encoding = clock.measure {
            for content in contents {
                stored.append(
                    Dispersal.fragments(of: content, needed: needed, count: 14, using: &random).map(\.encoded))
            }
        }
        var wrong = 0
        let decoding = try clock.measure {
            for (content, fragments) in zip(contents, stored) {
                let some = try fragments.suffix(needed).map { try Fragment(decoding: $0) }
                if try Dispersal.block(from: some) != content { wrong += 1 }
            }
        }
        let megabytes = Double(length * blocks) / 1_000_000
        print("coding: blocks of \(length) bytes, \(needed) of 14 fragments needed, \(wrong) wrong")
        print("encode: \(rate(megabytes, encoding)) MB/s of blocks (14 fragments each)")
        print("decode: \(rate(megabytes, decoding)) MB/s of blocks")
    }

    private func runSecond() throws {
        var random = SeededRandom(seed: seed)
        let contents = (0..<blocks).map { _ in (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) } }
        let clock = ContinuousClock()
        var stored: [[[UInt8]]] = []
        let encoding = clock.measure {
            for content in contents {
                stored.append(SystematicCode.fragments(of: content, needed: 8, count: 28).map(\.encoded))
            }
        }
        let megabytes = Double(length * blocks) / 1_000_000
        print("coding: blocks of \(length) bytes, 8 of 28 fragments needed")
        print("encode: \(rate(megabytes, encoding)) MB/s of blocks (28 fragments each)")
        for (name, choice) in [("the first 8", 0..<8), ("4 of them and 4 others", 4..<12), ("8 others", 20..<28)] {
            var wrong = 0
            let decoding = try clock.measure {
                for (content, fragments) in zip(contents, stored) {
                    let some = try fragments[choice].map { try CodedFragment(decoding: $0) }
                    if try SystematicCode.block(from: some) != content { wrong += 1 }
                }
            }
            print("decode from \(name): \(rate(megabytes, decoding)) MB/s of blocks, \(wrong) wrong")
        }
    }

    private func rate(_ megabytes: Double, _ duration: Duration) -> Int { Int(megabytes / (duration / .seconds(1))) }
}
