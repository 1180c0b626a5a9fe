import Glibc
import VersionKitModel
import VersionKitTestbed

@testable import VersionKitKernel

/// A version in a host's own network: the application of the isolation's tests, in a control group of its own, which
/// serves a port at all addresses.
final class HostVersion: Sendable {
    static let port: UInt16 = 7000
    /// Where the machine has its control groups of version 2.
    static let groups: String? = {
        guard let file = fopen("/proc/self/mounts", "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let text = String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 3, fields[2] == "cgroup2" { return String(fields[1]) }
        }
        return nil
    }()

    let name: String
    let address: IPAddress
    /// The directory of its control group.
    let group: String
    private let host: TestbedHost
    private let process: HostProcess

    /// - Parameter number: which address of the loopback it has.
    init(_ number: Int, on host: NFTablesHost, _ path: CgroupPath) throws {
        (name, self.host) = ("\(host.host.name)-\(number)", host.host)
        address = IPAddress("127.77.0.\(number)")!
        group = "\(Self.groups ?? "")/versionkit-test-\(getpid())-\(name)"
        guard mkdir(group, 0o755) == 0 else { throw KernelPathError("make \(group): errno \(errno)") }
        do {
            try path.attach(address, to: group)
            process = try host.host.spawn(
                "sh",
                [
                    "-c",
                    "echo $$ > \(group)/cgroup.procs; exec \(Programs.path("isolation-app")) serve \(Self.port) \(name)",
                ])
        } catch {
            rmdir(group)
            throw error
        }
        while try ask("name") != name {
            guard process.exit == nil else { throw KernelPathError("\(name) ended") }
            usleep(2000)
        }
    }

    deinit {
        process.kill()
        _ = try? process.waitBlocking(timeout: .seconds(10))
        rmdir(group)
    }

    /// Its answer at its own address; `nil` if there is nobody yet.
    func ask(_ line: String) throws -> String? { try Self.ask(line, Endpoint(address: address, port: Self.port), host) }

    /// The answer to a line of whoever listens there, as a host sees it.
    static func ask(_ line: String, _ endpoint: Endpoint, _ host: TestbedHost) throws -> String? {
        let socket = try TestSocket(host.namespace, .tcp)
        do { try socket.connect(endpoint) } catch { return nil }
        try socket.send(line + "\n")
        return String(decoding: try socket.receive(4096).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
