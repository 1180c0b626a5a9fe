import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("PeerTable")
struct PeerTableTests {
    private let application = ApplicationID(rawValue: "irislog")!
    private let peer = IPAddress("10.0.0.1")!

    private func header(_ sender: Version, _ advertised: Version? = nil) -> VersionHeader {
        VersionHeader(application: application, sender: sender, advertised: advertised)
    }

    @Test("what a peer says that serves replaces what was known of it")
    func replaces() {
        var peers = PeerTable()
        peers.heard(header(1), from: peer, at: .zero)
        #expect(peers.stated([1, 2], of: application, by: peer, stamp: 1, at: .seconds(1)) == 2)
        #expect(peers.stated([2], of: application, by: peer, stamp: 2, at: .seconds(2)) == nil)
        #expect(peers.peers[application]?[peer]?.versions == [2])
        #expect(peers.peers[application]?[peer]?.lastHeard == .seconds(2))
    }

    @Test("a peer that says the same again may have forgotten this node, unless it was told something meanwhile")
    func forgotten() {
        var peers = PeerTable()
        func says(_ serving: Set<Version>, at second: Int64) -> Bool {
            let mayHaveForgotten = peers.mayHaveForgotten(serving, of: application, by: peer)
            peers.stated(serving, of: application, by: peer, stamp: second, at: .seconds(second))
            return mayHaveForgotten
        }
        // The first time it is only new; then it was never told anything.
        #expect(!says([1], at: 1))
        #expect(says([1], at: 2))
        peers.told(peer, of: application, at: .seconds(3))
        // That may be its answer.
        #expect(!says([1], at: 4))
        #expect(says([1], at: 5))
        // News is no repetition.
        #expect(!says([1, 2], at: 6))
    }

    @Test("a peer that took a version away is behind again")
    func takenAway() {
        var peers = PeerTable()
        peers.stated([1, 2], of: application, by: peer, stamp: 1, at: .zero)
        #expect(peers.peers(of: application, behind: 2, leaving: 1).isEmpty)
        peers.stated([1], of: application, by: peer, stamp: 2, at: .zero)
        #expect(peers.peers(of: application, behind: 2, leaving: 1) == [peer])
    }

    @Test("a peer on which nothing serves keeps no version")
    func nothingServes() {
        var peers = PeerTable()
        peers.heard(header(1), from: peer, at: .zero)
        peers.stated([], of: application, by: peer, stamp: 1, at: .zero)
        #expect(peers.peers(of: application, behind: 2, leaving: 1).isEmpty)
    }

    @Test("a peer whose clock was set back is heard on")
    func clockSetBack() {
        var peers = PeerTable()
        let late = 2 * ReplayGuard.freshness
        peers.stated([1], of: application, by: peer, stamp: 86_400_000, at: .zero)
        peers.stated([2], of: application, by: peer, stamp: 86_400_000 - late, at: .seconds(1))
        #expect(peers.peers[application]?[peer]?.versions == [1])
        peers.stated([2], of: application, by: peer, stamp: 86_400_000 - late - 1, at: .seconds(1))
        #expect(peers.peers[application]?[peer]?.versions == [2])
    }

    @Test("a message that comes behind a newer one changes nothing")
    func late() {
        var peers = PeerTable()
        peers.stated([2], of: application, by: peer, stamp: 20, at: .zero)
        #expect(peers.stated([1], of: application, by: peer, stamp: 10, at: .zero) == nil)
        #expect(peers.peers[application]?[peer]?.versions == [2])
    }

    @Test("a peer that was forgotten keeps no version, and is known again when it is heard")
    func forget() {
        var peers = PeerTable()
        peers.heard(header(1), from: peer, at: .zero)
        #expect(peers.forget(peer, of: application) == true)
        #expect(peers.forget(peer, of: application) == false)
        #expect(peers.peers(of: application, behind: 2, leaving: 1).isEmpty)
        peers.heard(header(1), from: peer, at: .zero)
        #expect(peers.peers(of: application, behind: 2, leaving: 1) == [peer])
    }

    @Test("who is silent for the whole limit is forgotten, who was heard since is not")
    func silence() {
        var peers = PeerTable()
        let other = IPAddress("10.0.0.2")!
        peers.heard(header(1), from: peer, at: .zero)
        peers.heard(header(1), from: other, at: .seconds(5))
        #expect(peers.forgetSilent(for: .seconds(10), at: .seconds(9)).isEmpty)
        #expect(peers.forgetSilent(for: .seconds(10), at: .seconds(10)).map(\.1) == [peer])
        #expect(peers.peers[application]?.keys.sorted() == [other])
    }

    @Test("of a peer that shows ever more versions the newest are remembered")
    func boundedVersions() {
        var peers = PeerTable()
        for number in 1...UInt32(PeerTable.versionsMax + 5) {
            peers.heard(header(Version(number)!), from: peer, at: .zero)
        }
        let known = peers.peers[application]?[peer]?.versions ?? []
        #expect(known.count == PeerTable.versionsMax)
        #expect(known.min() == 6)
    }

    @Test("a peer is met once in an interval, if it is known; a message says when it proved to belong to the fleet")
    func meeting() {
        var peers = PeerTable()
        let interval = Duration.seconds(30)
        #expect(peers.meets(peer, of: application, every: interval, at: .zero) == false)
        peers.heard(header(1), from: peer, at: .zero)
        #expect(peers.meets(peer, of: application, every: interval, at: .seconds(1)) == true)
        #expect(peers.meets(peer, of: application, every: interval, at: .seconds(30)) == false)
        #expect(peers.meets(peer, of: application, every: interval, at: .seconds(31)) == true)
        #expect(peers.peers[application]?[peer]?.lastStated == nil)
        peers.stated([1], of: application, by: peer, stamp: 7, at: .seconds(40))
        peers.stated([2], of: application, by: peer, stamp: 6, at: .seconds(50))
        #expect(peers.peers[application]?[peer]?.lastStated == .seconds(40), "what came late proves nothing new")
        peers.heard(header(1), from: peer, at: .seconds(60))
        #expect(peers.peers[application]?[peer]?.lastStated == .seconds(40))
    }
}
