import VersionKitModel
import VersionKitTransport
import VersionKitWire

extension Node {
    /// What the relays say that concerns the node as a whole.
    enum Event: Sendable {
        /// A peer's header was read, by this registered port; `nil`: it only says what serves there, since what a version here
        /// sent does not. `isMutual`: whether the peer has heard of the direct port here.
        case heard(VersionHeader, from: IPAddress, by: TransportPort?, isMutual: Bool = true)
        /// Something that an operator may want to find in the log.
        case trouble(String)

        /// `nil`: nothing for the node.
        init?(_ event: Relay.Event) {
            switch event {
            case .heard(let header, let peer, let port): self = .heard(header, from: peer, by: port)
            case .refused(let reason, let peer): self = .trouble("a connection of \(peer) was closed: \(reason)")
            // The release server's.
            case .control: return nil
            }
        }

        /// `nil`: nothing for the node.
        init?(_ event: DatagramRelay.Event) {
            switch event {
            case .heard(let header, let peer, let port, _, let isMutual):
                self = .heard(header, from: peer, by: .udp(port), isMutual: isMutual)
            case .failed(let port, let error): self = .trouble("UDP port \(port) cannot be had: \(error)")
            case .control(let header, _, let peer, _): self = .heard(header, from: peer, by: nil)
            case .ready: return nil
            }
        }
    }
}
