import Synchronization
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitWire

/// Lets in what other routers of the fleet say, once its origin is proved, and counts what it refuses.
///
/// Thread-safe: each conversation with a router has a thread of its own.
final class FleetGate: Sendable {
    /// What came so far.
    struct Counters: Sendable, Codable {
        var received: UInt64 = 0
        var refused: [String: UInt64] = [:]
    }

    private struct State {
        var entrance: ReplayGuard
        var counters: Counters
    }

    private struct Refusal: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private let key: FleetKey?
    private let addresses: HostAddresses
    private let applications: Set<ApplicationID>
    private let deliver: @Sendable (FleetNews) -> Bool
    private let time: NodeTime
    private let state: Mutex<State>

    /// A gate of the node at these addresses.
    ///
    /// - Parameters:
    ///   - time: the node's; what was made before now is refused.
    ///   - counters: what came to the versiond before.
    ///   - deliver: is given each message that came in, on the conversation's thread, and says whether it had room.
    init(
        key: FleetKey?, addresses: HostAddresses, applications: Set<ApplicationID>, time: NodeTime,
        counters: Counters = Counters(), deliver: @escaping @Sendable (FleetNews) -> Bool
    ) {
        self.key = key
        self.addresses = addresses
        self.applications = applications
        self.deliver = deliver
        self.time = time
        state = Mutex(State(entrance: ReplayGuard(since: time.steady), counters: counters))
    }

    /// What came so far.
    var counters: Counters { state.withLock { $0.counters } }

    /// Takes a line that a router sent over a control connection of this application.
    ///
    /// - Returns: why it was refused, or `nil`.
    func receive(_ line: String, of application: ApplicationID, from peer: IPAddress) -> String? {
        do throws(Refusal) {
            let news = try authentic(line)
            guard news.application == application, applications.contains(application) else {
                throw Refusal("unknown-application")
            }
            if case .versions(let message) = news {
                guard addresses.contains(message.receiver) else { throw Refusal("other-receiver") }
                guard message.sender == peer else { throw Refusal("other-sender") }
                try admit(message)
            }
            guard deliver(news) else { throw Refusal("busy") }
            state.withLock { $0.counters.received += 1 }
            return nil
        } catch {
            state.withLock { $0.counters.refused[error.reason, default: 0] += 1 }
            return error.reason
        }
    }

    private func authentic(_ line: String) throws(Refusal) -> FleetNews {
        guard let key else { throw Refusal("no-fleet-key") }
        if line.hasPrefix(SpreadVerdict.keyword) {
            // It is passed on by others, stays true, and counts once: nobody gains by sending it again.
            guard let sealed = try? SpreadVerdict.decode(line) else { throw Refusal("malformed-message") }
            guard key.isValid(sealed.code, of: sealed.verdict.signedText) else { throw Refusal("wrong-code") }
            return .verdict(sealed)
        }
        guard let sealed = try? FleetMessage.decode(line) else { throw Refusal("malformed-message") }
        guard key.isValid(sealed.code, of: sealed.message.signedText) else { throw Refusal("wrong-code") }
        return .versions(sealed.message)
    }

    private func admit(_ message: FleetMessage) throws(Refusal) {
        let refusal: ReplayGuard.Refusal? = state.withLock { state in
            do throws(ReplayGuard.Refusal) {
                try state.entrance.admit(message, at: time.steady, clock: NodeTime.ofDay)
                return nil
            } catch {
                return error
            }
        }
        if let refusal { throw Refusal(refusal.rawValue) }
    }
}
