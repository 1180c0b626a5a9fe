import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitWire

/// Asks another router for the documents that are newer there than here. Nothing is believed that ``TrustState`` does not
/// accept, so it does not matter whom it asks.
struct TrustFetcher: Sendable {
    /// What was fetched, each accepted once here already.
    struct News: Sendable {
        var roots: [SignedDocument<TrustRoot>] = []
        var channel: SignedDocument<ReleaseChannel>?
        var isEmpty: Bool { roots.isEmpty && channel == nil }
    }

    /// The most roots that are asked for in one conversation; more come with the next one.
    static let rootsMax: UInt64 = 32

    let state: TrustState
    let now: UTCTime

    /// Fetches what is newer.
    ///
    /// - Throws: ``ReleaseError`` for what the router sent; other errors for the way there.
    func fetch(from router: Endpoint) async throws -> News {
        try await tryOnThread("trust-fetch") { try fetchBlocking(from: router) }
    }

    private func fetchBlocking(from router: Endpoint) throws -> News {
        var connection = try BlockingConnection(to: router)
        let header = VersionHeader(application: state.application, sender: nil, flags: .control)
        try connection.send(Array(header.encoded().readableBytesView))
        let numbers = try connection.ask(TrustRequest.numbers)
        guard numbers.count == 2 else {
            throw NodeError("the router at \(router) does not say how new its documents are")
        }
        var (state, news) = (state, News())
        while state.numbers.root < numbers[0], news.roots.count < Self.rootsMax {
            let root: SignedDocument<TrustRoot> = try document(
                TrustRequest.root(state.numbers.root + 1), &connection)
            try state.accept(root)
            news.roots.append(root)
        }
        if numbers[1] > state.numbers.channel {
            let channel: SignedDocument<ReleaseChannel> = try document(TrustRequest.channel, &connection)
            if state.numbers.root < numbers[0] {
                // It may be signed by keys of which the next conversation brings the root.
                guard (try? state.accept(channel, at: now)) == true else { return news }
            } else {
                guard try state.accept(channel, at: now) else { return news }
            }
            news.channel = channel
        }
        return news
    }

    private func document<Content>(
        _ request: String, _ connection: inout BlockingConnection
    ) throws -> SignedDocument<Content> {
        let sizes = try connection.ask(request)
        guard sizes.count == 1, sizes[0] <= UInt64(Content.bytesMax) else {
            throw NodeError("the router answered '\(request)' with more than is allowed")
        }
        return try SignedDocument(bytes: connection.exactly(Int(sizes[0])))
    }
}

/// What is asked on a control connection; docs/wire-format.md.
enum TrustRequest {
    static let numbers = "trust"
    static let channel = "channel"
    static func root(_ number: UInt64) -> String { "root \(number)" }

    /// The answer to such a request, or `nil` if it is none.
    ///
    /// - Throws: ``ReleaseError`` if what is asked for is not here.
    static func answer(_ words: [String], _ state: TrustState?) throws(ReleaseError) -> [UInt8]? {
        let isRoot = words.count == 2 && words[0] == "root"
        guard isRoot || words == [numbers] || words == [channel] else { return nil }
        guard let state else { throw missing }
        if words == [numbers] { return Array("ok \(state.numbers.root) \(state.numbers.channel)\n".utf8) }
        let document = isRoot ? UInt64(words[1]).flatMap { state.root($0)?.bytes } : state.channel?.bytes
        guard let document else { throw missing }
        return Array("ok \(document.count)\n".utf8) + document
    }

    private static var missing: ReleaseError {
        ReleaseError(.notFound, "this node does not have it", side: .node)
    }
}
