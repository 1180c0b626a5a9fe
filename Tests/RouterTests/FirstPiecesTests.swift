import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Pieces that a node fetches first")
struct FirstPiecesTests {
    @Test("the neighbours of the first node have the whole release among them, and no part twice")
    func neighbours() throws {
        let release = Introducer.Release(try #require(ApplicationID(rawValue: "irislog")), 2)
        var introducer = Introducer()
        var random = Lottery(state: 1)
        let parts = (0..<UInt32(Introducer.seedNeighbours)).map { number in
            let peers = introducer.answer(
                Endpoint(address: IPAddress(v4: 1000 + number), port: 15_002), about: release, isStuck: false,
                own: Endpoint(address: IPAddress(v4: 1), port: 15_002), at: .zero, using: &random)
            return FirstPieces.part(known: peers.count, using: &random)
        }
        .sorted { $0.lowerBound < $1.lowerBound }
        #expect(parts.first?.lowerBound == 0)
        #expect(parts.last?.upperBound == 1)
        for (left, right) in zip(parts, parts.dropFirst()) { #expect(left.upperBound == right.lowerBound) }
    }

    @Test("all others have one by chance")
    func others() {
        var random = Lottery(state: 1)
        let parts = Set((0..<20).map { _ in FirstPieces.part(known: Introducer.answerMax, using: &random) })
        #expect(parts.count == 20)
        #expect(parts.allSatisfy { 0..<1 ~= $0.lowerBound && $0.upperBound - $0.lowerBound < 0.26 })
    }

    @Test("who was told of nobody has a part too")
    func alone() {
        var random = Lottery(state: 1)
        #expect(FirstPieces.part(known: 0, using: &random) == FirstPieces.part(known: 1, using: &random))
    }
}
