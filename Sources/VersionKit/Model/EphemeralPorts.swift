/// The ports that sockets are given by themselves, divided between those whose connections meet in one environment.
///
/// A version at a peer sees two kinds of connections come from this host's address: those of versions here, by the kernel's
/// fast path, with the ports that their environment gave them, and those of the relay, with the relay's own. If two had one
/// port, one of them would break. Both ranges are within Linux' usual one, 32768-60999.
public enum EphemeralPorts {
    /// Of sockets in environments.
    public static let environments: ClosedRange<UInt16> = 32_768...50_999
    /// Of the relay's connections: to any one port of a peer there can be so many at one time.
    public static let relay: ClosedRange<UInt16> = 51_000...60_999
}
