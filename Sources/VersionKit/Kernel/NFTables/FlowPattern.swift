import VersionKitModel

/// A tracked connection or flow of datagrams, both ways: as it began, and as the answers come.
struct TrackedFlow: Sendable, Hashable {
    /// TCP or UDP.
    var transport: TransportProtocol
    /// Who sent the first packet.
    var source: Endpoint
    /// Where it was sent to, before any translation.
    var destination: Endpoint
    /// Who answers, behind all translation.
    var answerer: Endpoint
    /// Where the answers are sent to.
    var answered: Endpoint
}

/// Which tracked flows are meant; what is `nil` is any.
struct FlowPattern: Sendable, Hashable {
    /// TCP or UDP.
    var transport: TransportProtocol
    /// The address of who sent the first packet.
    var sender: IPAddress?
    /// Who sent the first packet.
    var source: Endpoint?
    /// Where it was sent to.
    var destination: Endpoint?
    /// Who answers.
    var answerer: Endpoint?
    /// Where the answers are sent to.
    var answered: Endpoint?

    init(
        transport: TransportProtocol, sender: IPAddress? = nil, source: Endpoint? = nil, destination: Endpoint? = nil,
        answerer: Endpoint? = nil, answered: Endpoint? = nil
    ) {
        self.transport = transport
        self.sender = sender
        self.source = source
        self.destination = destination
        self.answerer = answerer
        self.answered = answered
    }

    /// Whether this flow is meant.
    func matches(_ flow: TrackedFlow) -> Bool {
        flow.transport == transport && (sender ?? flow.source.address) == flow.source.address
            && (source ?? flow.source) == flow.source && (destination ?? flow.destination) == flow.destination
            && (answerer ?? flow.answerer) == flow.answerer && (answered ?? flow.answered) == flow.answered
    }

    /// Whether it is one flow at most, which can be asked for by its ends.
    var exact: (source: Endpoint, destination: Endpoint)? {
        guard let source, let destination else { return nil }
        return (source, destination)
    }
}
