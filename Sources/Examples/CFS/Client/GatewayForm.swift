/// Which messages a gateway speaks. It cannot be asked: both forms have the same program, version and procedures.
public enum GatewayForm: String, Hashable, Sendable, CaseIterable {
    /// Generation 1: a block has a length.
    case of2004 = "2004"
    /// Generation 2: a block has an expiration.
    case of2008 = "2008"
}
