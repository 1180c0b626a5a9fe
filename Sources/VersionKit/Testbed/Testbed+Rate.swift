extension Testbed {
    /// Bytes that may go at once, behind a pause.
    private static let burst = "256kb"
    /// How long a packet may wait for its turn before it is dropped.
    private static let latency = "50ms"

    /// Has the kernel hold a host to a rate, both ways, by token buckets at the two ends of its link.
    ///
    /// For hosts with a direct link. It takes much less processor time than a link with a rate, whose frames this process
    /// carries, but has no delay, and nobody counts.
    ///
    /// - Throws: `TestbedError` if there is no such host, no `tc`, or no such thing in the kernel.
    public func limit(_ host: String, to rate: Rate) throws {
        guard let index = hosts.firstIndex(where: { $0.name == host }) else {
            throw TestbedError(.invalidPlan, "there is no host \(host) to limit")
        }
        for (interface, namespace) in [("eth0", hosts[index].descriptor), ("h\(index)p", fabric)] {
            let rule = "qdisc add dev \(interface) root tbf rate \(rate.bitsPerSecond)bit"
            try IPCommand(
                "\(rule) burst \(Self.burst) latency \(Self.latency)\n", in: namespace, of: host, program: "tc"
            ).finish()
        }
    }
}
