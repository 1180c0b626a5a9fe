import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

/// Goal: no node relies on a new version while a request for it may still come to a node that does not serve it.
/// Method: fleets in memory whose nodes know their neighbours alone, and tell them what they know in any order.
@Suite("How far around a node a version serves")
struct HorizonTests {
    private let application = ApplicationID(rawValue: "irislog")!
    private let enough = FleetMessage.Horizon.hopsMax

    private func address(_ node: Int) -> IPAddress { IPAddress("10.0.0.\(node + 1)")! }

    /// Nodes that go over from version 1 to 2, or back.
    private struct Fleet {
        var tables: [PeerTable]
        var serving: [Set<Version>]
        /// Which of them have copied for the last time.
        var hasCopied: [Bool]
        let links: [[Int]]
        let version: Version
        let old: Version
        var stamp: Int64 = 0

        init(_ links: [[Int]], to version: Version, from old: Version) {
            (self.links, self.version, self.old) = (links, version, old)
            tables = Array(repeating: PeerTable(), count: links.count)
            serving = Array(repeating: [old], count: links.count)
            hasCopied = Array(repeating: true, count: links.count)
        }

        static func line(_ count: Int) -> [[Int]] {
            (0..<count).map { node in [node - 1, node + 1].filter { (0..<count).contains($0) } }
        }

        /// A line of seven, in which a few more links make circles.
        static func tangle(_ random: inout Lottery) -> [[Int]] {
            var links = line(7)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let pair = (Int.random(in: 0..<7, using: &random), Int.random(in: 0..<7, using: &random))
                guard pair.0 != pair.1, !links[pair.0].contains(pair.1) else { continue }
                links[pair.0].append(pair.1)
                links[pair.1].append(pair.0)
            }
            return links
        }
    }

    private func horizon(_ fleet: Fleet, _ node: Int) -> FleetMessage.Horizon {
        guard fleet.serving[node].contains(fleet.version) else { return .init(fleet.version, hops: 0) }
        return fleet.tables[node].horizon(
            of: application, fleet.version, leaving: fleet.old, hasCopied: fleet.hasCopied[node])
    }

    /// Whether all that a node knows of see so far.
    private func isAhead(_ fleet: Fleet, _ node: Int, _ hops: Int) -> Bool {
        fleet.tables[node].peers(of: application, behind: fleet.version, leaving: fleet.old, seeing: hops).isEmpty
    }

    private func tell(_ fleet: inout Fleet, from node: Int, to peer: Int) {
        fleet.stamp += 2
        let (horizon, serving, stamp) = (horizon(fleet, node), fleet.serving[node], fleet.stamp)
        fleet.tables[peer].stated(horizon, of: application, by: address(node), stamp: stamp - 1, at: .zero)
        fleet.tables[peer].stated(serving, of: application, by: address(node), stamp: stamp, at: .zero)
    }

    private func tellAll(_ fleet: inout Fleet) {
        for node in fleet.links.indices { for peer in fleet.links[node] { tell(&fleet, from: node, to: peer) } }
    }

    /// The nodes that a request may go through which begins at this one: those within so many steps, itself the first.
    private func nodes(_ fleet: Fleet, within hops: Int, of node: Int) -> Set<Int> {
        (1..<max(1, hops)).reduce([node]) { known, _ in known.union(known.flatMap { fleet.links[$0] }) }
    }

    @Test("in a fleet that has gone over, all of them see as far as anybody looks", arguments: [1, 2, 3, 9])
    func converges(count: Int) {
        var fleet = Fleet(Fleet.line(count), to: 2, from: 1)
        tellAll(&fleet)
        fleet.serving = Array(repeating: [1, 2], count: count)
        for _ in 1...enough { tellAll(&fleet) }
        for node in 0..<count {
            #expect(horizon(fleet, node).hops == enough)
            #expect(fleet.tables[node].peers(of: application, behind: 2, leaving: 1) == [])
        }
    }

    @Test(
        "nobody sees past a node that is behind, whoever tells whom and when", arguments: 0..<20 as Range<UInt64>,
        [true, false])
    func neverTooFar(seed: UInt64, isForwards: Bool) {
        var random = Lottery(state: seed)
        let (old, new): (Version, Version) = isForwards ? (1, 2) : (2, 1)
        let links = Fleet.tangle(&random)
        var fleet = Fleet(links, to: new, from: old)
        tellAll(&fleet)
        var steps = 0
        while fleet.tables.indices.contains(where: { horizon(fleet, $0).hops < enough }) {
            steps += 1
            guard steps < 10_000 else {
                Issue.record("they never see the whole fleet")
                return
            }
            let node = Int.random(in: 0..<7, using: &random)
            if Int.random(in: 0..<40, using: &random) == 0 {
                fleet.serving[node].insert(new)
            } else if let peer = links[node].randomElement(using: &random) {
                tell(&fleet, from: node, to: peer)
            }
            for node in fleet.tables.indices {
                let around = nodes(fleet, within: horizon(fleet, node).hops, of: node)
                guard horizon(fleet, node).hops > 0 else { continue }
                #expect(around.allSatisfy { fleet.serving[$0].contains(new) }, "node \(node) in step \(steps)")
            }
        }
    }

    @Test(
        "all copy for the last time and leave the old version, and nobody copies while a peer's peer runs that alone, or leaves while a peer has not copied",
        arguments: 0..<20 as Range<UInt64>, [true, false])
    func lastCopies(seed: UInt64, isForwards: Bool) {
        var random = Lottery(state: seed)
        let (old, new): (Version, Version) = isForwards ? (1, 2) : (2, 1)
        let links = Fleet.tangle(&random)
        var fleet = Fleet(links, to: new, from: old)
        fleet.hasCopied = Array(repeating: false, count: 7)
        var isCopying = Array(repeating: false, count: 7)
        tellAll(&fleet)
        var steps = 0
        while fleet.serving.contains(where: { $0 != [new] }) {
            steps += 1
            guard steps < 20_000 else {
                Issue.record("they never get rid of the old version")
                return
            }
            let node = Int.random(in: 0..<7, using: &random)
            if let peer = links[node].randomElement(using: &random), Bool.random(using: &random) {
                tell(&fleet, from: node, to: peer)
                continue
            }
            switch Int.random(in: 0..<20, using: &random) {
            case 0: if fleet.serving[node] == [old] { fleet.serving[node] = [old, new] }
            case 1..<8:
                guard fleet.serving[node] == [old, new], !fleet.hasCopied[node], !isCopying[node],
                    isAhead(fleet, node, FleetMessage.Horizon.hopsToCopy)
                else { continue }
                isCopying[node] = true
                let near = nodes(fleet, within: 3, of: node)
                #expect(near.allSatisfy { fleet.serving[$0].contains(new) }, "node \(node) in step \(steps)")
            case 8..<12: fleet.hasCopied[node] = fleet.hasCopied[node] || isCopying[node]
            default:
                guard fleet.serving[node] == [old, new], fleet.hasCopied[node],
                    isAhead(fleet, node, FleetMessage.Horizon.hopsToLeave)
                else { continue }
                fleet.serving[node] = [new]
                #expect(links[node].allSatisfy { fleet.hasCopied[$0] }, "node \(node) in step \(steps)")
            }
            // Nobody who began to copy too early would have to begin anew.
            for node in isCopying.indices where isCopying[node] {
                #expect(isAhead(fleet, node, FleetMessage.Horizon.hopsToCopy))
            }
        }
    }

    @Test("a node that comes with the old version alone has its neighbours' neighbours copy anew")
    func lateNewcomer() {
        var fleet = Fleet(Fleet.line(4), to: 2, from: 1)
        fleet.serving = Array(repeating: [1, 2], count: 4)
        fleet.hasCopied = [true, true, false, true]
        for _ in 1...enough { tellAll(&fleet) }
        #expect((0..<4).map { horizon(fleet, $0).hops } == [4, 3, 2, 3])
        #expect((0..<4).filter { isAhead(fleet, $0, FleetMessage.Horizon.hopsToLeave) } == [0, 2])
        fleet.serving[3] = [1]
        for _ in 1...enough { tellAll(&fleet) }
        #expect((0..<4).filter { isAhead(fleet, $0, FleetMessage.Horizon.hopsToCopy) } == [0])
    }

    @Test("a node that comes without the new version brings the horizon back")
    func newcomer() {
        var fleet = Fleet(Fleet.line(3), to: 2, from: 1)
        fleet.serving = [[1, 2], [1, 2], [1, 2]]
        for _ in 1...enough { tellAll(&fleet) }
        fleet.serving[2] = [1]
        for _ in 1...2 { tellAll(&fleet) }
        #expect((0..<3).map { horizon(fleet, $0).hops } == [2, 1, 0])
        #expect(fleet.tables[0].peers(of: application, behind: 2, leaving: 1) == [address(1)])
    }

    @Test("a peer that never said how far it sees is taken at its versions, as one of a fleet without a key")
    func silent() {
        var table = PeerTable()
        table.heard(VersionHeader(application: application, sender: 1, advertised: 2), from: address(1), at: .zero)
        #expect(table.peers(of: application, behind: 2, leaving: 1) == [])
        #expect(table.horizon(of: application, 2, leaving: 1).hops == enough)
        table.heard(VersionHeader(application: application, sender: 1), from: address(2), at: .zero)
        #expect(table.peers(of: application, behind: 2, leaving: 1) == [address(2)])
        #expect(table.horizon(of: application, 2, leaving: 1).hops == 1)
    }

    @Test("a peer that is past the version, or has not said that it goes the same way")
    func otherVersions() {
        var table = PeerTable()
        table.stated(FleetMessage.Horizon(3, hops: 1), of: application, by: address(1), stamp: 1, at: .zero)
        table.stated([3], of: application, by: address(1), stamp: 2, at: .zero)
        #expect(table.horizon(of: application, 2, leaving: 1).hops == enough)
        table.stated(FleetMessage.Horizon(2, hops: enough), of: application, by: address(1), stamp: 3, at: .zero)
        #expect(table.horizon(of: application, 3, leaving: 2).hops == 2)
        table.stated([2], of: application, by: address(1), stamp: 4, at: .zero)
        #expect(table.horizon(of: application, 3, leaving: 2).hops == 1)
        #expect(table.horizon(of: application, 1, leaving: 2).hops == 1)
    }

    @Test("what comes late changes nothing")
    func late() {
        var table = PeerTable()
        table.stated([1, 2], of: application, by: address(1), stamp: 5, at: .zero)
        table.stated(FleetMessage.Horizon(2, hops: 2), of: application, by: address(1), stamp: 6, at: .zero)
        table.stated(FleetMessage.Horizon(2, hops: 4), of: application, by: address(1), stamp: 4, at: .zero)
        #expect(table.horizon(of: application, 2, leaving: 1).hops == 3)
    }
}
