import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Introducer")
struct IntroducerTests {
    private let release = Introducer.Release(ApplicationID(rawValue: "irislog")!, 2)
    private let own = Endpoint(address: IPAddress(v4: 1), port: 15_002)

    private func peer(_ number: UInt32) -> Endpoint { Endpoint(address: IPAddress(v4: 1000 + number), port: 15_002) }

    /// So many peers ask, one behind the other; what each was told.
    private func ask(_ introducer: inout Introducer, count: UInt32, seed: UInt64 = 1) -> [[Endpoint]] {
        var random = Lottery(state: seed)
        return (0..<count).map {
            introducer.answer(peer($0), about: release, isStuck: false, own: own, at: .zero, using: &random)
        }
    }

    @Test("the first few are told of the seed, the others only of each other")
    func seedNeighbours() {
        var introducer = Introducer()
        let answers = ask(&introducer, count: 48)
        for (index, answer) in answers.enumerated() {
            #expect(answer.contains(own) == (index < Introducer.seedNeighbours), "\(index)")
            #expect(answer.count <= Introducer.answerMax)
            #expect(Set(answer).count == answer.count)
            #expect(!answer.contains(peer(UInt32(index))))
        }
        #expect(answers[20].count == Introducer.answerMax)
    }

    @Test("from every peer there is a way to the seed")
    func connected() {
        for seed: UInt64 in 1...20 {
            var introducer = Introducer()
            var neighbours: [Endpoint: Set<Endpoint>] = [:]
            for (index, answer) in ask(&introducer, count: 200, seed: seed).enumerated() {
                for other in answer {
                    neighbours[peer(UInt32(index)), default: []].insert(other)
                    neighbours[other, default: []].insert(peer(UInt32(index)))
                }
            }
            var reached: Set<Endpoint> = [own]
            var edge = [own]
            while let next = edge.popLast() {
                for other in neighbours[next, default: []] where reached.insert(other).inserted { edge.append(other) }
            }
            #expect(reached.count == 201)
        }
    }

    @Test("who is stuck is told of the seed, and who was told of it once is told again")
    func stuck() {
        var introducer = Introducer()
        _ = ask(&introducer, count: 20)
        var random = Lottery(state: 3)
        for (number, isStuck) in [(UInt32(15), true), (15, false), (0, false)] {
            let answer = introducer.answer(
                peer(number), about: release, isStuck: isStuck, own: own, at: .seconds(1), using: &random)
            #expect(answer.first == own)
        }
    }

    @Test("a node that has nothing to give does not name itself")
    func withoutOwn() {
        var introducer = Introducer()
        var random = Lottery(state: 1)
        let first = introducer.answer(
            peer(1), about: release, isStuck: true, own: nil, at: .zero, using: &random)
        #expect(first.isEmpty)
        let second = introducer.answer(
            peer(2), about: release, isStuck: true, own: nil, at: .zero, using: &random)
        #expect(second == [peer(1)])
    }

    @Test("peers are told only of addresses of their own kind")
    func families() {
        var introducer = Introducer()
        var random = Lottery(state: 1)
        _ = ask(&introducer, count: 5)
        let other = Endpoint(address: IPAddress("fd00::7")!, port: 1)
        let answer = introducer.answer(other, about: release, isStuck: false, own: nil, at: .zero, using: &random)
        #expect(answer.isEmpty)
    }

    @Test("who does not ask again is forgotten after a time")
    func forgets() {
        var introducer = Introducer()
        _ = ask(&introducer, count: 5)
        introducer.remember(peer(9), of: release, at: Introducer.memory)
        #expect(introducer.count(of: release) == 6)
        introducer.remember(peer(9), of: release, at: Introducer.memory + .milliseconds(1))
        #expect(introducer.count(of: release) == 1)
    }

    @Test("it remembers so many peers and releases and no more")
    func bounded() {
        var introducer = Introducer()
        _ = ask(&introducer, count: UInt32(Introducer.peersMax) + 100)
        #expect(introducer.count(of: release) == Introducer.peersMax)
        for number in 1...Introducer.releasesMax {
            let other = Introducer.Release(release.application, Version(UInt32(number + 10))!)
            introducer.remember(peer(1), of: other, at: .seconds(number))
        }
        #expect(introducer.count(of: release) == 0)
    }
}
