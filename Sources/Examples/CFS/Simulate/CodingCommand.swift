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

    func run() throws {
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

    private func rate(_ megabytes: Double, _ duration: Duration) -> Int { Int(megabytes / (duration / .seconds(1))) }
}
