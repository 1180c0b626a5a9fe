import IrisLogCore
import Synchronization
import Testing

/// Goal: who is asked, in which manner, and what a failure does to the answer. The other servers are scripted.
@Suite(.timeLimit(.minutes(1)))
struct EngineTests {
    private let directory: TemporaryDirectory
    private let hierarchy: Hierarchy
    private let everyNode = "/country/region/site/node/@id"

    init() throws {
        directory = try TemporaryDirectory()
        hierarchy = try Hierarchy(xml: hierarchyXML(a: "a", b: "b", c: "c"))
    }

    private func engine(_ peers: ScriptedPeers, _ fanout: QueryEngine.Fanout = .parallel) throws -> QueryEngine {
        let database = try Database(directory: directory.path, hierarchy: hierarchy, me: "a")
        return QueryEngine(
            hierarchy: hierarchy, me: "a", database: database, peers: peers, fanout: fanout, now: { peers.now })
    }

    @Test("Version 1's manner asks one server after the other, version 2's asks all before any has answered")
    func manners() async throws {
        let sequential = ScriptedPeers(["b": .items(["x"]), "c": .items(["y"])])
        #expect(try await engine(sequential, .sequential).query(everyNode) == ["x", "y"])
        #expect(sequential.mostAtOnce == 1)
        // The first answer waits until both have been asked: one after the other would never end.
        let parallel = ScriptedPeers(["b": .items(["x"]), "c": .items(["y"])], together: 2)
        #expect(try await engine(parallel, .parallel).query(everyNode) == ["x", "y"])
        #expect(parallel.mostAtOnce == 2)
    }

    @Test(
        "The fault of a server leaves a gap in the answer",
        arguments: [IrisLogError.Code.unreachable, .internal, .syntax, .notOwner])
    func gaps(code: IrisLogError.Code) async throws {
        let peers = ScriptedPeers(["b": .failure(IrisLogError(code, "")), "c": .items(["y"])])
        #expect(try await engine(peers).query(everyNode) == ["y"])
        #expect(try await engine(peers).query("count(//node)") == ["0"])
    }

    @Test(
        "The fault of a query is reported, however many servers could answer",
        arguments: [IrisLogError.Code.query, .limit])
    func faults(code: IrisLogError.Code) async throws {
        let error = IrisLogError(code, "too expensive")
        let peers = ScriptedPeers(["b": .failure(error), "c": .items(["y"])])
        await #expect(throws: error) { _ = try await engine(peers).query(everyNode) }
        await #expect(throws: error) { _ = try await engine(peers).query("count(//node)") }
    }

    @Test("A server that was asked itself has one time for all those it asks")
    func patience() async throws {
        let peers = ScriptedPeers(["b": .silence, "c": .items(["y"])])
        #expect(try await engine(peers, .sequential).query(everyNode, hops: Limits.hops) == [])
        #expect(peers.asked.map(\.host) == ["b"])
        #expect(peers.asked.map(\.timeout) == [Limits.patience / 8])
        let fresh = ScriptedPeers(["b": .silence, "c": .items(["y"])], together: 2)
        #expect(try await engine(fresh, .parallel).query(everyNode, hops: Limits.hops) == ["y"])
        // Nobody waits for the server that a client asks: each of the others has its whole time.
        let first = ScriptedPeers(["b": .silence, "c": .items(["y"])])
        #expect(try await engine(first, .sequential).query(everyNode) == ["y"])
        #expect(first.asked.map(\.timeout) == [.seconds(2), .seconds(2)])
    }

    @Test("A request passes a bounded number of servers, each with one hop more")
    func hops() async throws {
        let peers = ScriptedPeers(["b": .items([]), "c": .items([])])
        _ = try await engine(peers).query(everyNode, hops: 3)
        #expect(peers.asked.map(\.hops) == [4, 4])
        await #expect(throws: IrisLogError(.limit, "too many hops")) {
            _ = try await engine(peers).query(everyNode, hops: Limits.hops + 1)
        }
    }

    @Test("What a server sends as a subtree must be that subtree")
    func falseFragments() async throws {
        for forged in ["<site id='kiel'/>", "<site id='hamburg'>", "<!DOCTYPE x><site id='hamburg'/>", ""] {
            let peers = ScriptedPeers(["b": .items([forged]), "c": .items(["<site id='kiel'><node id='k9'/></site>"])])
            #expect(try await engine(peers).query("//@id") == ["earth", "north", "kiel", "k9"], "\(forged)")
        }
    }
}

/// Other servers that do as they are told.
final class ScriptedPeers: PeerClient {
    enum Behaviour {
        case items([String])
        case failure(IrisLogError)
        /// Lets all the time pass that it is given.
        case silence
    }

    struct Request {
        let host: String
        let hops: Int
        let timeout: Duration
    }

    private struct State {
        var asked: [Request] = []
        var open = 0
        var mostAtOnce = 0
        var now = ContinuousClock.now
    }

    private let behaviours: [String: Behaviour]
    private let together: Int
    private let state = Mutex(State())

    /// Nobody answers before so many have been asked as shall be asked together.
    init(_ behaviours: [String: Behaviour], together: Int = 1) {
        self.behaviours = behaviours
        self.together = together
    }

    var asked: [Request] { state.withLock { $0.asked } }
    /// The time as far as the engine knows; it passes only when somebody is silent.
    var now: ContinuousClock.Instant { state.withLock { $0.now } }
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }

    func ask(
        _ host: HostAddress, hops: Int, xpath: String, timeout: Duration
    ) async throws(IrisLogError) -> [String] {
        state.withLock { state in
            state.asked.append(Request(host: host.address, hops: hops, timeout: timeout))
            state.open += 1
            state.mostAtOnce = max(state.mostAtOnce, state.open)
        }
        defer { state.withLock { $0.open -= 1 } }
        while asked.count < together { await Task.yield() }
        switch behaviours[host.address] {
        case .items(let items): return items
        case .failure(let error): throw error
        case .silence, nil:
            state.withLock { $0.now += timeout }
            throw IrisLogError(.unreachable, "no answer in time")
        }
    }

    func gather(
        _ host: HostAddress, hops: Int, path: IDPath, timeout: Duration
    ) async throws(IrisLogError) -> String {
        try await ask(host, hops: hops, xpath: path.xpath, timeout: timeout).first ?? ""
    }
}
