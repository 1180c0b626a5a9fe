import BenchDriver
import CFSFleet
import ExampleFleet
import VersionKitTestbed

/// Hosts on a network with a rate, and what is measured on them: the papers' experiment.
struct BenchHosts {
    let fleet: CFSFleet
    let hosts: [TestbedHost]
    let programs: String
    let directory: String
    private let testbed: Testbed
    private let blocks: Int
    let repeats: Int

    /// - Parameter directory: of these hosts alone.
    init(_ settings: Settings, directory: String = "/run/cfs-bench") throws {
        self.directory = directory
        let count = try settings.number("hosts")
        let megabits = try settings.number("megabits")
        let delay = try settings.number("microseconds")
        blocks = try settings.number("blocks")
        repeats = try settings.number("repeats")
        guard (1...200).contains(count), megabits > 0, delay >= 0, blocks > 0, repeats > 0 else {
            throw FleetError("1 to 200 hosts, and megabits, microseconds, blocks and repeats")
        }
        // A delay takes a process that carries the frames; the kernel alone can hold a rate.
        let link = delay == 0 ? .direct : Link(delay: .microseconds(delay), rate: .megabits(megabits))
        fleet = CFSFleet(hosts: count, pace: try settings.number("pace"), link: link)
        programs = try Programs.directory()
        try makeDirectory(directory)
        let testbed = try Testbed(fleet.plan)
        self.testbed = testbed
        hosts = try (1...count).map { number in
            guard let host = testbed[CFSFleet.name(number)] else { throw FleetError("there is no host \(number)") }
            return host
        }
        for host in hosts where delay == 0 { try testbed.limit(host.name, to: .megabits(megabits)) }
    }

    func stop() { testbed.stop() }

    /// One client at the last host's own gateway, one block at a time, as the paper's.
    func client(form: String) -> DBM {
        DBM(
            host: hosts[hosts.count - 1], programs: programs, directory: directory,
            gateway: CFSFleet.gateway(hosts.count), blocks: blocks, concurrency: 0, form: form)
    }
}
