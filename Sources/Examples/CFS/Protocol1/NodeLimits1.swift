public import CFSProtocol

/// What messages between nodes of 2004 have at most where the protocol says nothing.
public typealias NodeLimits1 = NodeLimits
