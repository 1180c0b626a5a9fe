import Foundation
import Glibc
import Testing
import VersionKitModel
import VersionKitReleases
import VersionKitSockets
import VersionKitSwarm

@Suite("Swarm")
struct SwarmTests {
    @Test("a release of several layers comes over byte by byte, and is there for every reader")
    func fetch() async throws {
        let share = try Share([700_001, 16_384, 1, 300_000])
        let seed = try Member(share, "seed", .complete)
        let fetcher = try Member(share, "copy")
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        let end = try await fetcher.wait(for: "copy", \.isFinished)
        #expect(try share.isComplete("copy"))
        #expect(end.wanted == end.done)
        #expect(seed.session.counters == SwarmCounters())
    }

    @Test("two that fetch get from each other what the seed gave to one of them, and the seed may leave then")
    func exchange() async throws {
        let share = try Share([400_000])
        let first = try Member(share, "first")
        do {
            let seed = try Member(share, "seed", .complete)
            first.session.connect(first.torrent, to: [seed.endpoint])
            try await first.wait(for: "first copy", \.isFinished)
        }
        let second = try Member(share, "second")
        second.session.connect(second.torrent, to: [first.endpoint])
        try await second.wait(for: "second copy", \.isFinished)
        #expect(try share.isComplete("second"))
    }

    @Test("a peer that lies is banned and counted, and the release comes from others")
    func liar() async throws {
        let share = try Share([900_000])
        let liar = try ScriptedSeed.lying(pieces: ReleaseTorrent(share.layers).pieceCount)
        let fetcher = try Member(share, "copy")
        fetcher.session.connect(fetcher.torrent, to: [liar.endpoint])
        // It is banned before what it sent is counted and gone: the seed comes in between.
        try await fetcher.wait(for: "ban") { _ in fetcher.session.counters.bannedPeers == 1 }
        #expect(fetcher.progress.done == 0)
        let seed = try Member(share, "seed", .complete)
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        try await fetcher.fetch()
        #expect(fetcher.session.counters.wrongPieces > 0)
        #expect(try share.isComplete("copy"))
    }

    @Test("a seed whose copy is damaged hands on nothing wrong, and changes nothing in it")
    func damagedSeed() async throws {
        let share = try Share([600_000])
        try share.copy(to: "damaged")
        try share.damage("damaged", 0, at: 300_000)
        let before = try share.bytes("damaged", 0)
        let damaged = try Member(share, "damaged", .complete)
        let fetcher = try Member(share, "copy")
        fetcher.session.connect(fetcher.torrent, to: [damaged.endpoint])
        let seed = try Member(share, "seed", .complete)
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        damaged.session.connect(damaged.torrent, to: [seed.endpoint])
        try await fetcher.wait(for: "copy", \.isFinished)
        #expect(try share.isComplete("copy"))
        #expect(try share.bytes("damaged", 0) == before)
    }

    @Test("what is right of an earlier try is not fetched again, what is wrong is")
    func resume() async throws {
        let share = try Share([1_000_000])
        try share.copy(to: "copy")
        try share.damage("copy", 0, at: 500_000)
        let seed = try Member(share, "seed", .complete)
        let fetcher = try Member(share, "copy")
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        let end = try await fetcher.wait(for: "copy", \.isFinished)
        #expect(try share.isComplete("copy"))
        #expect(end.downloaded > 0 && end.downloaded <= 2 * ReleaseTorrent(share.layers).pieceBytes)
    }

    @Test("a layer that is not wanted is neither fetched nor touched")
    func unwanted() async throws {
        let share = try Share([300_000, 300_000, 300_000])
        let seed = try Member(share, "seed", .complete)
        let wanted = ReleaseTorrent(share.layers).unwanted(except: [share.layers[1].digest])
        let fetcher = try Member(share, "copy", unwanted: wanted)
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        let end = try await fetcher.wait(for: "copy", \.isFinished)
        #expect(try share.bytes("copy", 1) == share.bytes("seed", 1))
        #expect(!FileManager.default.fileExists(atPath: share.path("copy", 0)))
        #expect(!FileManager.default.fileExists(atPath: share.path("copy", 2)))
        #expect(end.wanted == 300_000)
    }

    @Test("two releases are fetched at once, by one session")
    func two() async throws {
        let shares = [try Share([500_000]), try Share([600_000], seed: 2)]
        let seeds = try shares.map { try Member($0, "seed", .complete) }
        let fetcher = try Member(shares[0], "copy")
        let second = try fetcher.session.add(shares[1].torrent, in: shares[1].directory("copy"), .unknown)
        fetcher.session.connect(fetcher.torrent, to: [seeds[0].endpoint])
        fetcher.session.connect(second, to: [seeds[1].endpoint])
        try await fetcher.wait(for: "both copies") {
            $0.isFinished && fetcher.session.progress(of: second)?.isFinished == true
        }
        #expect(try shares[0].isComplete("copy"))
        #expect(try shares[1].isComplete("copy"))
    }

    @Test("the limits hold for private addresses, and can be changed")
    func limits() async throws {
        let share = try Share([800_000])
        let seed = try Member(share, "seed", .complete, limits: SwarmLimits(uploadBytesPerSecond: 200_000))
        let fetcher = try Member(share, "copy")
        let began = ContinuousClock.now
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        try await fetcher.wait(for: "half of it") { $0.downloaded > 400_000 }
        // One second's worth may be saved up before it begins.
        #expect(ContinuousClock.now - began > .milliseconds(700))
        seed.session.setLimits(SwarmLimits())
        try await fetcher.wait(for: "copy", \.isFinished)
    }

    @Test("who comes without the torrent gets nothing and does no harm")
    func stranger() async throws {
        let share = try Share([400_000])
        let other = try Share([400_000], seed: 7)
        let seed = try Member(share, "seed", .complete)
        let stranger = try Member(other, "copy")
        stranger.session.connect(stranger.torrent, to: [seed.endpoint])
        let noise = try openSocket(.v4, .stream, blocks: true)
        defer { close(noise) }
        #expect(connectSocket(noise, to: seed.endpoint))
        #expect(send(noise, "GET / HTTP/1.1\r\n\r\n", 18, Int32(MSG_NOSIGNAL)) == 18)
        let fetcher = try Member(share, "copy")
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        try await fetcher.wait(for: "copy", \.isFinished)
        #expect(stranger.progress.downloaded == 0)
    }

    @Test("a torrent that is left has no progress any more, and its files stay")
    func left() async throws {
        let share = try Share([300_000])
        let seed = try Member(share, "seed", .complete)
        seed.session.remove(seed.torrent)
        seed.session.update()
        #expect(seed.session.progress(of: seed.torrent) == nil)
        #expect(try share.bytes("seed", 0).count == 300_000)
    }

    @Test("what is no torrent file is refused with a reason")
    func malformed() throws {
        let session = try Swarm(SwarmOptions(addresses: [IPAddress.Family.v4.loopback], port: 0))
        #expect(throws: SwarmError.self) { try session.add(Array("d4:infod".utf8), in: "/tmp", .unknown) }
        #expect(throws: SwarmError.self) { try session.add([], in: "/tmp", .unknown) }
    }

    @Test("when a part is preferred all that is wanted comes over, and nothing else")
    func preferred() async throws {
        let share = try Share([1_638_400, 300_000])
        let seed = try Member(share, "seed", .complete)
        let fetcher = try Member(share, "copy", unwanted: [false, true])
        // Beyond the end, where the unwanted layer is, and on at the begin.
        fetcher.session.prefer(0.75..<1.25, of: fetcher.torrent)
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        let end = try await fetcher.wait(for: "copy", \.isFinished)
        #expect(try share.bytes("copy", 0) == share.bytes("seed", 0))
        #expect(end.wanted == 1_638_400)
        #expect(access(share.path("copy", 1), F_OK) != 0)
    }

    @Test("what is preferred is asked for first", arguments: 0..<4)
    func order(quarter: Int) async throws {
        let share = try Share([1_638_400])
        let (data, torrent) = (Array(try share.bytes("seed", 0)), ReleaseTorrent(share.layers))
        let length = data.count / torrent.pieceCount
        let seed = try ScriptedSeed(pieces: torrent.pieceCount) { piece, offset, count in
            Array(data[(piece * length + offset)...].prefix(count))
        }
        let fetcher = try Member(share, "copy")
        let part = Double(quarter) / 4..<Double(quarter + 1) / 4
        fetcher.session.prefer(part, of: fetcher.torrent)
        fetcher.session.connect(fetcher.torrent, to: [seed.endpoint])
        try await fetcher.wait(for: "copy", \.isFinished)
        #expect(try share.isComplete("copy"))
        let first = seed.pieces.prefix(torrent.pieceCount / 5)
        #expect(first.allSatisfy { part.contains(Double($0) / Double(torrent.pieceCount)) }, "\(Array(first))")
    }
}
