import Testing
import VersionKitTestbed

@Suite("A host held to a rate")
struct RateTests {
    @Test("the kernel has its rate at both ends of the link, and a host that is not there is refused")
    func limit() throws {
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("a", address: "10.99.0.1", on: "lan")
        let testbed = try Testbed(plan)
        defer { testbed.stop() }
        try testbed.limit("a", to: .megabits(100))
        let rule = try testbed["a"]?.run("tc", ["qdisc", "show", "dev", "eth0"]).output
        #expect(rule?.contains("tbf") == true && rule?.contains("100Mbit") == true, "\(rule ?? "")")
        #expect(throws: TestbedError.self) { try testbed.limit("b", to: .megabits(100)) }
    }
}
