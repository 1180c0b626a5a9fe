import Testing

@testable import VersionKitTestbed

@Suite struct TestbedPlanTests {
    private func plan(_ change: (inout TestbedPlan) -> Void) -> TestbedPlan {
        var plan = TestbedPlan()
        plan.segment("a")
        plan.segment("b")
        plan.segment("c")
        plan.link("a", "b")
        plan.host("n1", address: "10.99.0.1", on: "a")
        change(&plan)
        return plan
    }

    @Test("a plan with everything in order has no problems")
    func fine() throws {
        try plan { $0.link("b", "c", Link(delay: .milliseconds(5), rate: .megabits(100))) }.validate()
    }

    @Test("a segment nobody made is a problem")
    func unknownSegment() {
        let problems = plan {
            $0.host("n2", address: "10.99.0.2", on: "x")
            $0.link("a", "y")
        }.problems()
        #expect(problems == [.unknownSegment("x", wantedBy: "n2"), .unknownSegment("y", wantedBy: "a link")])
    }

    @Test("an address or a name given twice is a problem")
    func duplicates() {
        let problems = plan { $0.host("a", address: "10.99.0.1", on: "a") }.problems()
        #expect(problems == [.duplicateName("a"), .duplicateAddress("10.99.0.1", hosts: ["n1", "a"])])
    }

    @Test("segments joined in a loop are a problem")
    func loop() {
        let problems = plan {
            $0.link("b", "c")
            $0.link("c", "a")
            $0.link("a", "a")
        }.problems()
        #expect(problems == [.loop("c", "a"), .loop("a", "a")])
    }

    @Test(
        "an address that no host can have is a problem",
        arguments: ["10.98.0.1", "10.99.0.0", "10.99.255.255"])
    func outside(address: String) {
        let problems = plan { $0.host("n2", address: address, on: "a") }.problems()
        #expect(problems == [.addressOutsideSubnet(address, host: "n2")])
    }

    @Test("what is not an address is a problem", arguments: ["", "10.99.0", "10.99.0.256", "10.99.0.01", "10.99.0.+1"])
    func notAnAddress(address: String) {
        let problems = plan { $0.host("n2", address: address, on: "a") }.problems()
        #expect(problems == [.invalidAddress(address, host: "n2")])
    }

    @Test("a subnet has to be one", arguments: ["10.99.0.0", "10.99.0.1/16", "10.99.0.0/31", "x/16"])
    func subnet(text: String) {
        #expect(TestbedPlan(subnet: text).problems() == [.invalidSubnet(text)])
    }

    @Test(
        "a subnet of IPv6 has to be one, too", arguments: ["fd00:99::", "fd00:99::1/64", "fd00::/127", "10.99.0.0/16"])
    func subnet6(text: String) {
        #expect(TestbedPlan(subnet6: text).problems() == [.invalidSubnet(text)])
    }

    @Test("a host has an address of IPv6 too, or alone")
    func bothKinds() {
        let plan = plan {
            $0.host("n2", address: "10.99.0.2", address6: "fd00:99::2", on: "a")
            $0.host("n3", address: "fd00:99::3", on: "a")
        }
        #expect(plan.problems() == [])
        let hosts = NetworkScript(plan).hosts
        #expect(
            hosts[1].contains("addr add 10.99.0.2/16 dev eth0 broadcast +\naddr add fd00:99::2/64 dev eth0 nodad\n"))
        #expect(!hosts[2].contains("/16"))
    }

    @Test(
        "an address of IPv6 that no host can have is a problem",
        arguments: ["fd00:98::1", "fd00:99::", "fe80::1", "ff02::1"])
    func outside6(address: String) {
        let problems = plan { $0.host("n2", address: "10.99.0.2", address6: address, on: "a") }.problems()
        #expect(problems == [.addressOutsideSubnet(address, host: "n2")])
    }

    @Test("a second address of a kind is a problem, and so is none")
    func kinds() {
        let problems = plan {
            $0.host("n2", address: "10.99.0.2", address6: "10.99.0.3", on: "a")
            $0.host("n3", addresses: [], on: "a")
        }.problems()
        #expect(problems == [.invalidAddress("10.99.0.3", host: "n2"), .invalidAddress("", host: "n3")])
    }

    @Test("a plan has at most 256 hosts")
    func tooMany() {
        let problems = plan { plan in
            for number in 0..<256 { plan.host("h\(number)", address: "10.99.1.\(number)", on: "a") }
        }.problems()
        #expect(problems == [.tooManyHosts(257)])
    }

    @Test("a link has a sensible delay, rate and queue")
    func links() {
        let problems = plan {
            $0.link("b", "c", Link(delay: .milliseconds(-1)))
            $0.host("n2", address: "10.99.0.2", on: "a", link: Link(rate: Rate(bitsPerSecond: 0)))
        }.problems()
        #expect(problems == [.invalidLink("between b and c"), .invalidLink("of n2")])
    }

    @Test("the error names everything that is wrong")
    func message() {
        let broken = plan {
            $0.host("n2", address: "10.99.0.1", on: "x")
        }
        let error = #expect(throws: TestbedError.self) { try broken.validate() }
        #expect(error?.code == .invalidPlan)
        #expect(
            error?.message
                == "n2 wants the segment \"x\", which does not exist; n1 and n2 all have 10.99.0.1")
    }

    @Test("a link with a delay or rate is carried, a direct one is not")
    func script() {
        let script = NetworkScript(
            plan {
                $0.link("b", "c", Link(delay: .milliseconds(1)))
                $0.host("n2", address: "10.99.0.2", on: "c", link: Link(rate: .kilobits(64)))
            })
        #expect(script.carried.map(\.firstName) == ["b", "n2"])
        #expect(script.carried.map(\.secondName) == ["c", "c"])
        #expect(script.hosts.count == 2)
    }
}
