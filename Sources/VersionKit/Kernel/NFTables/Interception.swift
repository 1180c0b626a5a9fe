import Synchronization
package import VersionKitModel
import VersionKitProcesses

/// The kernel's part of the slow path: what environments send to registered ports goes to the relays, all else passes.
///
/// For each kind of IP one nftables table, and policy-routing rules with their table, and the ``Sysctls``, all of them
/// undone by ``remove()``; other tables are not touched. What a killed process left is undone by the next start, or by
/// ``cleanUp(stateFile:network:)``. Calls wait for programs on threads of their own. Thread-safe.
///
/// - Note: R5, R8; DESIGN 6; docs/interception.md.
package final class Interception: Sendable {
    private let rules: InterceptionRules
    private let sysctls: Sysctls
    private let network: HostNetwork
    /// What is intercepted; `nil` when another goes on with it.
    private let ports: Mutex<Set<TransportPort>?>

    /// What the next one goes on with; everything else is in the kernel, and in the state file.
    package struct Handover: Sendable, Hashable, Codable {
        /// The tables as they were made.
        var tables: [IPAddress.Family: String]
        /// The registered ports.
        var ports: Set<TransportPort>
    }

    /// Prepares the node, with no port registered, or goes on with what another one prepared.
    ///
    /// - Parameters:
    ///   - rules: what is intercepted, and for which relay.
    ///   - stateFile: where the sysctls' values of before are kept; in a directory that exists.
    ///   - directPorts: where direct ports are taken from, if there are any.
    ///   - resuming: of the one to go on with: its ports stay intercepted all the time.
    /// - Throws: ``KernelPathError``; then everything is as before.
    package init(
        _ rules: InterceptionRules, stateFile: String, directPorts: ClosedRange<UInt16>? = nil,
        resuming: Handover? = nil, network: HostNetwork = HostNetwork()
    ) async throws {
        self.rules = rules
        self.network = network
        let sysctls = Sysctls(file: stateFile, families: rules.families, network: network)
        self.sysctls = sysctls
        ports = Mutex(resuming?.ports ?? [])
        try await tryOnThread("interception") {
            if let directPorts { try Self.check(directPorts, network) }
            if resuming == nil { Self.removeEverything(network) }
            do {
                try sysctls.apply()
                try Self.install(rules, over: resuming, network)
            } catch {
                if resuming == nil {
                    Self.removeEverything(network)
                    try? sysctls.restore()
                }
                throw error
            }
        }
    }

    /// Intercepts these ports and no others, in one step for each kind of IP.
    ///
    /// A UDP port needs a transparent socket bound to it (IP_TRANSPARENT, any address): what environments send to the port
    /// comes out there. Datagrams that no socket takes are dropped and counted, for no other router would know their
    /// version.
    package func apply(ports: Set<TransportPort>) async throws {
        try await tryOnThread("interception") { [self] in
            try self.ports.withLock { (current) throws(KernelPathError) in
                guard current != nil else { throw KernelPathError("another goes on with the interception") }
                let script = rules.families.map { InterceptionRules.change(to: ports, $0) }.joined()
                try network.run("nft", ["-f", "-"], input: script)
                current = ports
            }
        }
    }

    /// Gives everything to the next one, as it is: from now on this one does nothing more.
    package func handOver() -> Handover {
        ports.withLock { current in
            defer { current = nil }
            let tables = rules.families.map { ($0, rules.text($0)) }
            return Handover(tables: Dictionary(uniqueKeysWithValues: tables), ports: current ?? [])
        }
    }

    /// Leaves the node as it was, unless another goes on with it.
    package func remove() async {
        await onThread("interception") { [self] in
            guard ports.withLock({ $0 != nil }) else { return }
            Self.removeEverything(network)
            // The node may have no network any more; then there is nothing to put back.
            try? sysctls.restore()
        }
    }

    /// Undoes what a process left that was killed: tables, routing rules and sysctls. Environments and their links are not
    /// its business.
    ///
    /// - Throws: ``KernelPathError`` if a sysctl cannot be put back; the rest is gone then.
    package static func cleanUp(stateFile: String, network: HostNetwork = HostNetwork()) async throws {
        try await tryOnThread("interception") {
            removeEverything(network)
            try Sysctls(file: stateFile, network: network).restore()
        }
    }

    private static let routes = "\(InterceptionRules.mark)"

    /// What routing rules send to the relays: what is marked, and what versions in the node's own network send elsewhere.
    private static func conditions(_ family: IPAddress.Family) -> [[String]] {
        [["fwmark", "\(InterceptionRules.mark)"]] + (family == .v4 ? [["from", InterceptionRules.hostVersions4]] : [])
    }

    /// Brings about what is not there yet; what is there and to stay is never away.
    private static func install(
        _ rules: InterceptionRules, over old: Handover?, _ network: HostNetwork
    ) throws(KernelPathError) {
        var script = ""
        for family in rules.families {
            if old?.tables[family] == nil {
                for condition in conditions(family) {
                    try network.run("ip", [family.option, "rule", "add"] + condition + ["lookup", routes])
                }
                let route = ["local", family.everything, "dev", "lo", "table", routes]
                try network.run("ip", [family.option, "route", "replace"] + route)
            }
            let text = rules.text(family)
            guard text != old?.tables[family] else { continue }
            script += text + InterceptionRules.change(to: old?.ports ?? [], family)
        }
        if !script.isEmpty { try network.run("nft", ["-f", "-"], input: script) }
        for family in old?.tables.keys ?? [:].keys where !rules.families.contains(family) {
            remove([InterceptionRules.table], family, network)
        }
    }

    private static func removeEverything(_ network: HostNetwork) {
        for family in IPAddress.Family.allCases {
            remove([InterceptionRules.table, NFTablesRuleset.table], family, network)
        }
    }

    /// Removes tables, the routing rule and its table; each of them may be gone already, or never have been there.
    private static func remove(_ tables: [String], _ family: IPAddress.Family, _ network: HostNetwork) {
        let script = tables.map { "table \(family.word) \($0)\ndelete table \(family.word) \($0)\n" }.joined()
        _ = try? network.run("nft", ["-f", "-"], input: script)
        for condition in conditions(family) {
            _ = try? network.run("ip", [family.option, "rule", "del"] + condition + ["lookup", routes])
        }
        _ = try? network.run("ip", [family.option, "route", "flush", "table", routes])
    }

    private static func check(_ directPorts: ClosedRange<UInt16>, _ network: HostNetwork) throws(KernelPathError) {
        let range = try network.inside { () throws(KernelPathError) in Sysctls.ephemeralPorts() }
        if let problem = DirectPortRange.problem(with: directPorts, ephemeral: range) { throw KernelPathError(problem) }
    }
}
