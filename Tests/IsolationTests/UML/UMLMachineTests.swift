import Testing
import VersionKitModel

@testable import VersionKitIsolation

/// Goal: a machine is started with what its specification says. Method: its command line and its user, which are values.
@Suite("What a User Mode Linux machine is started with")
struct UMLMachineTests {
    private static let networks = HostAddresses(
        IPAddress(v4: 10 << 24 | 77 << 16), IPAddress(high: 0xFD00_564B << 32, low: 0))

    @Test("addresses of either kind, the gateways and the longest packet are told")
    func network() throws {
        let arguments = try arguments()
        #expect(arguments.contains("address=10.77.0.14/30,fd00:564b::e/126,fe80::2/64"))
        #expect(arguments.contains("gateway=10.77.0.13,fd00:564b::d"))
        #expect(arguments.contains("mtu=\(EnvironmentLink.packetBytesMax)"))
    }

    @Test("everything after the dashes is the first process's")
    func order() throws {
        let arguments = try arguments()
        let dashes = try #require(arguments.firstIndex(of: "--"))
        #expect(arguments[dashes + 1] == "boot")
        #expect(arguments[..<dashes].contains("init=/agent"))
        #expect(arguments[dashes...].contains("share=/usr:/usr"))
    }

    @Test("limits of memory and tasks are kept; memory without which nothing runs is there all the same")
    func limits() throws {
        let limited = try arguments(ResourceLimits(memoryBytes: 300 << 20, tasks: 50))
        #expect(limited.contains("mem=300M"))
        #expect(limited.contains("tasks=50"))
        #expect(try arguments(ResourceLimits(memoryBytes: 1)).contains("mem=64M"))
        #expect(try arguments().contains("mem=512M"))
    }

    @Test("a path that a kernel's command line cannot have is refused", arguments: ["/a b", "/a:b", "/a\tb"])
    func paths(path: String) {
        #expect(throws: IsolationError.self) { try arguments(shared: [(path, "/run/tools")]) }
    }

    @Test("a command line that would be cut off is refused")
    func length() {
        let path = "/" + String(repeating: "a", count: 2000)
        #expect(throws: IsolationError.self) { try arguments(shared: [(path, "/run/tools")]) }
    }

    @Test("each machine has a user of its own, if its node may choose users")
    func users() throws {
        let all = "         0          0 4294967295"
        let first = try #require(UMLUser(slot: 1, range: all, effectiveUser: 0))
        let second = try #require(UMLUser(slot: 2, range: all, effectiveUser: 0))
        #expect(first.id != second.id)
        #expect(UMLUser.command(first).contains("\(first.id)"))
        #expect(UMLUser.command(nil).contains("--reuid") == false)
        #expect(UMLUser.command(nil).contains("--bounding-set=-all"))
        #expect(UMLUser(slot: 1, range: all, effectiveUser: 1000) == nil)
        #expect(UMLUser(slot: 1, range: "0 1000 1", effectiveUser: 0) == nil)
    }

    private func arguments(
        _ limits: ResourceLimits = ResourceLimits(), shared: [(node: String, inside: String)] = [("/usr", "/usr")]
    ) throws -> [String] {
        let specification = EnvironmentSpecification(
            name: "app-1", layers: [], slot: 3, runDirectory: "/run",
            tools: EnvironmentTools(versionctl: "", runtime: nil, agent: ""), limits: limits)
        let link = EnvironmentLink(networks: Self.networks, slot: 3)
        return try UMLMachine(specification, link: link, shared: shared).arguments
    }
}
