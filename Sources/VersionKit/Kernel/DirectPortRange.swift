import VersionKitModel

/// Where direct ports may lie.
package enum DirectPortRange {
    /// What is wrong with a range of direct ports, and what to do about it; `nil` if it is good.
    ///
    /// A client's socket that was given a direct port as its own would take the answers for itself, or lose them.
    ///
    /// - Parameter ephemeral: the ports that sockets of the host are given by themselves.
    package static func problem(
        with ports: ClosedRange<UInt16>, ephemeral: ClosedRange<UInt16>?
    ) -> String? {
        if ports.lowerBound < 1024 { return "direct ports must not be below 1024: \(text(ports))" }
        for (range, whose) in [(ephemeral, "this host"), (EphemeralPorts.environments, "environments")] {
            guard let range, range.overlaps(ports) else { continue }
            return """
                the direct ports \(text(ports)) overlap with \(text(range)), which sockets of \(whose) are given by \
                themselves (net.ipv4.ip_local_port_range): choose others
                """
        }
        return nil
    }

    /// The same for the host that this process is on.
    package static func problem(with ports: ClosedRange<UInt16>) -> String? {
        problem(with: ports, ephemeral: Sysctls.ephemeralPorts())
    }

    private static func text(_ range: ClosedRange<UInt16>) -> String { "\(range.lowerBound)-\(range.upperBound)" }
}
