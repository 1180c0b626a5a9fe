import Glibc
import VersionKitModel
import VersionKitProcesses

/// The sysctls of a network namespace that are changed while versions run, and their values before.
///
/// The values are in a file before anything is changed, so whoever comes after a killed process puts back the node's own
/// values, not those of the killed one.
struct Sysctls: Sendable {
    /// What is set on each node, below `/proc/sys/net`; those of early demultiplexing are for IPv6 as well.
    static let wanted: [String: String] = [
        // Environments send through the node.
        "ipv4/ip_forward": "1",
        // Answers to the foreign addresses that the relays use would come from the wrong side.
        "ipv4/conf/all/rp_filter": "0",
        // Early demultiplexing hands packets that are to be forwarded to sockets with foreign addresses, and drops them.
        "ipv4/tcp_early_demux": "0",
        "ipv4/udp_early_demux": "0",
        // Connections between relays end often, and those to one peer share a range of ports.
        "ipv4/tcp_tw_reuse": "1",
    ]
    /// Sets that of each interface as well.
    static let forwarding6 = "ipv6/conf/all/forwarding"

    private let file: String
    private let families: [IPAddress.Family]
    private let network: HostNetwork

    /// - Parameter families: the kinds of IP that are forwarded.
    init(file: String, families: [IPAddress.Family] = [], network: HostNetwork) {
        self.file = file
        self.families = families
        self.network = network
    }

    /// Writes the values of now to the file, unless it has those of before already, and sets ours.
    func apply() throws(KernelPathError) {
        let (file, families) = (file, families)
        try network.inside { () throws(KernelPathError) in
            let place = try Self.place()
            var before = Self.read(file).flatMap { SysctlRecord($0, place: place) } ?? SysctlRecord(place: place)
            var wanted = Self.wanted
            if families.contains(.v6) { wanted.merge(try Self.wanted6(before)) { _, new in new } }
            for name in wanted.keys where before.values[name] == nil { before.values[name] = try Self.value(name) }
            try Self.replace(file, with: before.text)
            // `accept_ra` before any forwarding: routes that routers have advertised stay only where it is 2.
            let (single, all) = Self.sorted(wanted.keys)
            for name in single + all { try Self.set(name, wanted[name] ?? "") }
        }
    }

    /// Puts back what was there before; without a file of this namespace there is nothing to put back.
    func restore() throws(KernelPathError) {
        let file = file
        try network.inside { () throws(KernelPathError) in
            guard let record = Self.read(file).flatMap({ SysctlRecord($0, place: (try? Self.place()) ?? "") }) else {
                return
            }
            // What is for all interfaces sets that of each, so it comes first. An interface may be gone meanwhile.
            let (single, all) = Self.sorted(record.values.keys)
            for name in all + single where name.contains("/all/") || access(Self.path(name), F_OK) == 0 {
                try Self.set(name, record.values[name] ?? "")
            }
            unlink(file)
        }
    }

    /// Forwarding, and what keeps interfaces of the node that listen to routers' advertisements listening: those that
    /// forward do so only if told twice. Environments' links, which come and go, never do.
    private static func wanted6(_ before: SysctlRecord) throws(KernelPathError) -> [String: String] {
        var wanted = [forwarding6: "1"]
        guard let directory = opendir(path("ipv6/conf")) else {
            throw KernelPathError("\(SystemError("list \(path("ipv6/conf"))"))")
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard ![".", "..", "all", "default"].contains(name), !name.hasPrefix("vk") else { continue }
            wanted["ipv6/conf/\(name)/forwarding"] = "1"
            let advertisements = "ipv6/conf/\(name)/accept_ra"
            let old = if let known = before.values[advertisements] { known } else { try value(advertisements) }
            if old == "1" { wanted[advertisements] = "2" }
        }
        return wanted
    }

    /// Those of single interfaces or of none, and those for all interfaces.
    private static func sorted(_ names: some Collection<String>) -> (single: [String], all: [String]) {
        let sorted = names.sorted()
        return (sorted.filter { !$0.contains("/all/") }, sorted.filter { $0.contains("/all/") })
    }

    /// The ports that sockets of this namespace are given by themselves.
    static func ephemeralPorts() -> ClosedRange<UInt16>? {
        guard let words = read(path("ipv4/ip_local_port_range"))?.split(whereSeparator: \.isWhitespace),
            words.count == 2,
            let first = UInt16(words[0]), let last = UInt16(words[1]), first <= last
        else { return nil }
        return first...last
    }

    /// This start of the machine, and this namespace: a file of another means nothing.
    private static func place() throws(KernelPathError) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        guard let boot = read("/proc/sys/kernel/random/boot_id"),
            readlink("/proc/thread-self/ns/net", &buffer, buffer.count - 1) > 0
        else { throw KernelPathError("\(SystemError("name the network namespace"))") }
        let link = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return boot.filter { !$0.isWhitespace } + " " + link
    }

    private static func path(_ name: String) -> String { "/proc/sys/net/\(name)" }

    private static func value(_ name: String) throws(KernelPathError) -> String {
        guard let text = read(path(name)) else { throw KernelPathError("\(SystemError("read \(path(name))"))") }
        return String(text.prefix { $0 != "\n" })
    }

    private static func set(_ name: String, _ value: String) throws(KernelPathError) {
        try write(path(name), value, Int32(O_WRONLY | O_CLOEXEC))
    }

    private static func replace(_ path: String, with text: String) throws(KernelPathError) {
        try write(path + ".new", text, Int32(O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC))
        guard rename(path + ".new", path) == 0 else { throw KernelPathError("\(SystemError("write \(path)"))") }
    }

    /// At most a page, which all of these are.
    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    private static func write(_ path: String, _ text: String, _ flags: Int32) throws(KernelPathError) {
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { throw KernelPathError("\(SystemError("write \(path)"))") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw KernelPathError("\(SystemError("write \(path)"))")
        }
    }
}

/// Values of sysctls before they were changed, and where: a first line with the place, then `name value`. Pure.
struct SysctlRecord: Sendable, Hashable {
    /// The start of the machine and the network namespace.
    let place: String
    /// By name.
    var values: [String: String] = [:]

    init(place: String) { self.place = place }

    /// The record of a file, or `nil` if it is of another place, or cut short.
    init?(_ text: String, place: String) {
        var lines = text.split(separator: "\n")
        guard lines.first.map(String.init) == place, lines.popLast() == "end" else { return nil }
        self.place = place
        for line in lines.dropFirst() {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            values[String(parts[0])] = String(parts[1])
        }
    }

    var text: String {
        let lines = values.keys.sorted().map { "\($0) \(values[$0] ?? "")\n" }.joined()
        return "\(place)\n\(lines)end\n"
    }
}
