/// The way to other servers; each version of the protocol has its own.
public protocol PeerClient: Sendable {
    /// Asks another server a query.
    func ask(
        _ host: HostAddress, hops: Int, xpath: String, timeout: Duration
    ) async throws(IrisLogError) -> [String]

    /// Fetches a subtree from its owner, as XML.
    func gather(
        _ host: HostAddress, hops: Int, path: IDPath, timeout: Duration
    ) async throws(IrisLogError) -> String
}

/// Answers queries for one server, with the help of the others.
public struct QueryEngine: Sendable {
    /// How several other servers are asked.
    public enum Fanout: Sendable {
        /// One after the other.
        case sequential
        /// All at the same time.
        case parallel
    }

    /// The server's own data.
    public let database: Database
    private let hierarchy: Hierarchy
    private let me: String
    private let peers: any PeerClient
    private let fanout: Fanout
    private let patience: Duration
    private let now: @Sendable () -> ContinuousClock.Instant

    /// Creates the engine of the server `me`; `patience` is how long it waits for another one when a client asks it, and
    /// `now` the clock by which it stops waiting.
    public init(
        hierarchy: Hierarchy, me: String, database: Database, peers: any PeerClient, fanout: Fanout,
        patience: Duration = Limits.patience, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.hierarchy = hierarchy
        self.me = me
        self.database = database
        self.peers = peers
        self.fanout = fanout
        self.patience = patience
        self.now = now
    }

    /// Answers a query; `hops` is how many servers it has already passed.
    ///
    /// What belongs to servers that do not answer is missing from the result.
    public func query(_ xpath: String, hops: Int = 0) async throws(IrisLogError) -> [String] {
        try Self.check(hops)
        try XMLTree.validate(xpath)
        switch QueryPlanner(hierarchy: hierarchy, me: me).plan(xpath) {
        case .nothing: return []
        case .forward(let host):
            return try await peers.ask(
                try address(host), hops: hops + 1, xpath: xpath, timeout: Patience.each(patience, hops: hops))
        case .spread(let parts): return try await spread(parts, hops)
        case .gather(let path):
            guard let element = hierarchy.element(at: path) else { return [] }
            let document = wrap(try await assemble(element, hops), in: path)
            return try XMLTree(parsing: Array(document.utf8)).items(xpath)
        }
    }

    /// The XML of a subtree this server owns, for another server.
    public func fragment(_ path: IDPath, hops: Int) async throws(IrisLogError) -> String {
        try Self.check(hops)
        guard let element = hierarchy.element(at: path) else {
            throw IrisLogError(.syntax, "there is no element \(path.xpath)")
        }
        guard element.host == me else { throw IrisLogError(.notOwner, element.host) }
        return try await assemble(element, hops)
    }

    private func spread(_ parts: [QueryPlan.Part], _ hops: Int) async throws(IrisLogError) -> [String] {
        let patience = Patience(patience, hops: hops, now: now)
        let answers = await collect(parts) { part -> Result<[String], IrisLogError> in
            do throws(IrisLogError) {
                switch part {
                case .local(let xpath): return .success(try database.items(xpath))
                case .ask(let host, let xpath):
                    return .success(
                        try await patience.wait { (timeout) throws(IrisLogError) in
                            try await peers.ask(try address(host), hops: hops + 1, xpath: xpath, timeout: timeout)
                        } ?? [])
                }
            } catch {
                return .failure(error)
            }
        }
        var items: [String] = []
        var bytes = 0
        for answer in answers {
            for item in try answer.get() {
                bytes += item.utf8.count + 1
                guard bytes <= Limits.answerBytes, items.count < Limits.answerItems else {
                    throw IrisLogError(.limit, "answer too large")
                }
                items.append(item)
            }
        }
        return items
    }

    private func address(_ host: String) throws(IrisLogError) -> HostAddress {
        guard let address = HostAddress(host) else { throw IrisLogError(.internal, "no address: \(host)") }
        return address
    }

    private static func check(_ hops: Int) throws(IrisLogError) {
        guard (0...Limits.hops).contains(hops) else { throw IrisLogError(.limit, "too many hops") }
    }
}

extension QueryEngine {
    /// An owned subtree as XML, with the parts of the servers that answer.
    fileprivate func assemble(_ element: Hierarchy.Element, _ hops: Int) async throws(IrisLogError) -> String {
        let patience = Patience(patience, hops: hops, now: now)
        let fetched = await collect(foreign(in: element)) { child -> Result<(IDPath, String)?, IrisLogError> in
            do throws(IrisLogError) {
                let text = try await patience.wait { (timeout) throws(IrisLogError) in
                    try await peers.gather(
                        try address(child.host), hops: hops + 1, path: child.path, timeout: timeout)
                }
                return .success(text.flatMap { checked($0, child) }.map { (child.path, $0) })
            } catch {
                return .failure(error)
            }
        }
        var fragments: [IDPath: String] = [:]
        for result in fetched {
            if let (path, fragment) = try result.get() { fragments[path] = fragment }
        }
        let text = try render(element, fragments)
        guard text.utf8.count <= Limits.documentBytes else { throw IrisLogError(.limit, "subtree too large") }
        return text
    }

    /// The topmost elements below that belong to others.
    private func foreign(in element: Hierarchy.Element) -> [Hierarchy.Element] {
        element.host == me ? element.children.flatMap(foreign) : [element]
    }

    /// A fragment enters the document only as the element it should be.
    private func checked(_ text: String, _ element: Hierarchy.Element) -> String? {
        guard let tree = try? XMLTree(parsing: Array(text.utf8)), let root = tree.root,
            XMLElement.name(root) == element.level.name, XMLElement.attribute("id", of: root) == element.id
        else { return nil }
        return try? tree.serialized(root)
    }

    private func render(_ element: Hierarchy.Element, _ fragments: [IDPath: String]) throws(IrisLogError) -> String {
        guard element.host == me else { return fragments[element.path] ?? "" }
        if element.level == .node { return try database.items(element.path.xpath).first ?? "" }
        var text = element.startTag
        for child in element.children { text += try render(child, fragments) }
        return text + element.endTag
    }

    /// The ancestors around a subtree, so that absolute paths find it.
    fileprivate func wrap(_ text: String, in path: IDPath) -> String {
        var text = text
        var ids = path.ids.dropLast()
        while let above = IDPath(Array(ids)), let element = hierarchy.element(at: above) {
            text = element.startTag + text + element.endTag
            ids = ids.dropLast()
        }
        return text
    }

    /// Runs the jobs in the version's manner; results in the order of the inputs.
    fileprivate func collect<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ job: @escaping @Sendable (Input) async -> Output
    ) async -> [Output] {
        switch fanout {
        case .sequential:
            var outputs: [Output] = []
            for input in inputs { outputs.append(await job(input)) }
            return outputs
        case .parallel:
            return await withTaskGroup(of: (Int, Output).self) { group in
                var outputs = [Output?](repeating: nil, count: inputs.count)
                for (index, input) in inputs.enumerated() {
                    if index >= Limits.parallelRequests, let (done, output) = await group.next() {
                        outputs[done] = output
                    }
                    group.addTask { (index, await job(input)) }
                }
                for await (done, output) in group { outputs[done] = output }
                return outputs.compactMap(\.self)
            }
        }
    }
}
