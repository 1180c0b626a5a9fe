import Glibc
import VersionKitTestbed

/// Holds a testbed with running processes until it is killed. For the test that nothing is left of it then.
@main
enum Holder {
    static func main() throws {
        let marker = CommandLine.arguments.dropFirst().first ?? "unmarked"
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("a", address: "10.99.0.1", on: "lan", link: Link(delay: .milliseconds(1)))
        plan.host("b", address: "10.99.0.2", on: "lan")
        let testbed = try Testbed(plan)
        var processes: [HostProcess] = []
        for host in testbed.hosts {
            processes.append(try host.spawn("sh", ["-c", "sleep 1000; :", marker]))
        }
        print("holding")
        fflush(nil)
        for process in processes { _ = try process.waitBlocking() }
    }
}
