import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitRouter
import VersionKitWire

/// Tells another router something, over a connection between the two: the other end of ``FleetGate``.
struct FleetCaller: Sendable {
    let key: FleetKey

    /// A router does not take what it was told.
    struct Refusal: Error, CustomStringConvertible {
        let router: Endpoint
        let answer: String

        var description: String { "the router at \(router) answered: \(answer)" }

        /// Whether the clocks of the two are too far apart, as far as the other can see.
        var isStale: Bool { answer == "error \(ReplayGuard.Refusal.stale.rawValue)" }
    }

    /// Sends messages of one node to another, and the verdicts that are to be passed on, and waits until they were taken. Each
    /// step has the time-out of a conversation between routers.
    ///
    /// - Throws: if the router cannot be reached or does not take it.
    func tell(_ messages: [FleetMessage], _ verdicts: [SpreadVerdict.Sealed], to router: Endpoint) async throws {
        guard let first = messages.first else { return }
        try await tryOnThread("fleet-message") {
            var connection = try BlockingConnection(to: router, from: first.sender)
            let header = VersionHeader(application: first.application, sender: nil, flags: .control)
            // An older router knows nothing of horizons, and refuses them.
            let lines =
                messages.map { ($0.line(code: key.code(of: $0.signedText)), isNeeded: !$0.isHorizon) }
                + verdicts.map { ($0.line, isNeeded: true) }
            try connection.send(Array(header.encoded().readableBytesView))
            for (line, isNeeded) in lines {
                try connection.send(Array("\(line)\n".utf8))
                guard let answer = try connection.line() else {
                    throw NodeError("the router at \(router) did not answer")
                }
                guard answer == "ok" || !isNeeded else {
                    throw Refusal(router: router, answer: answer)
                }
            }
        }
    }
}

extension FleetMessage {
    fileprivate var isHorizon: Bool { if case .horizon = news { true } else { false } }
}
