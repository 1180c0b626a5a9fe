import Glibc
import VersionKitModel
import VersionKitProcesses

/// The kernel's part of the router: what environments send to registered ports goes to the relay, all else passes.
///
/// One nftables table, one policy-routing rule and four sysctls, all of them undone by ``remove()``; other tables are not
/// touched.
///
/// - Note: R5, R8; DESIGN 6.
struct Interception: Sendable {
    /// The mark of packets for the relay, and the number of the routing table that delivers them.
    private static let mark = 0x564B
    private static let table = "versionkit"
    /// Early demultiplexing hands packets that are to be forwarded to sockets with foreign addresses; the reverse-path
    /// filter drops answers to those.
    private static let sysctls = [
        "ip_forward": "1", "conf/all/rp_filter": "0", "tcp_early_demux": "0", "tcp_tw_reuse": "1",
    ]

    let transparentPort: UInt16
    let environmentNetwork: IPv4Address
    private let before: [String: String]

    /// Prepares the node.
    init(transparentPort: UInt16, environmentNetwork: IPv4Address) async throws {
        self.transparentPort = transparentPort
        self.environmentNetwork = environmentNetwork
        var before: [String: String] = [:]
        for (name, value) in Self.sysctls {
            before[name] = try Self.read(name)
            try Self.write(name, value)
        }
        self.before = before
        // What a killed versiond left is the same rule; a second one would never go away.
        await removeRules()
        try await run("ip", ["rule", "add", "fwmark", "\(Self.mark)", "lookup", "\(Self.mark)"])
        try await run("ip", ["route", "replace", "local", "0.0.0.0/0", "dev", "lo", "table", "\(Self.mark)"])
        try await apply(ports: [])
    }

    /// Intercepts these ports and no others, in one step.
    func apply(ports: Set<UInt16>) async throws {
        let list = ports.sorted().map(String.init).joined(separator: ", ")
        let intercept =
            ports.isEmpty
            ? ""
            : """
                iifname "vk*" tcp dport { \(list) } tproxy to :\(transparentPort) meta mark set \(Self.mark) accept
            """
        let ruleset = """
            table ip \(Self.table)
            delete table ip \(Self.table)
            table ip \(Self.table) {
              chain intercept {
                type filter hook prerouting priority mangle; policy accept;
                iifname "vk*" socket transparent 1 meta mark set \(Self.mark) accept
            \(intercept)
              }
              chain leave {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr \(environmentNetwork)/16 oifname != "vk*" masquerade
              }
            }

            """
        try await run("nft", ["-f", "-"], input: ruleset)
    }

    /// Leaves the node as it was.
    func remove() async {
        await removeRules()
        for (name, value) in before {
            // The node may have no network any more; then there is nothing to put back.
            try? Self.write(name, value)
        }
    }

    private func removeRules() async {
        // Each of these fails when there is nothing to remove, which is as good.
        try? await run("nft", ["delete", "table", "ip", Self.table])
        try? await run("ip", ["rule", "del", "fwmark", "\(Self.mark)"])
        try? await run("ip", ["route", "flush", "table", "\(Self.mark)"])
    }

    private func run(_ program: String, _ arguments: [String], input: String = "") async throws {
        let result = try await Command.run(program, arguments, input: input)
        guard result.exit.isSuccess else {
            throw NodeError(
                "\(program) \(arguments.joined(separator: " ")) ended with \(result.exit): \(result.output)")
        }
    }

    private static func path(_ name: String) -> String { "/proc/sys/net/ipv4/\(name)" }

    private static func read(_ name: String) throws -> String {
        guard let file = fopen(path(name), "re") else { throw SystemError("read \(path(name))") }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 64)
        guard let line = fgets(&buffer, 64, file) else { throw SystemError("read \(path(name))") }
        return String(cString: line)
    }

    private static func write(_ name: String, _ value: String) throws {
        guard let file = fopen(path(name), "we") else { throw SystemError("set \(path(name))") }
        let isWritten = fputs(value, file) >= 0
        guard fclose(file) == 0, isWritten else { throw SystemError("set \(path(name))") }
    }
}
