import Testing
import VersionKitControl
import VersionKitModel

@Suite("versionctl doctor")
struct DiagnosisTests {
    private func findings(_ kernel: KernelStatus) -> [Diagnosis.Finding] {
        let router = RouterStatus(
            outbound: 0, inbound: 0, plain: 0, control: 0, bytes: 0, refused: [:], kernel: kernel)
        let status = NodeStatus(
            node: NodeID(rawValue: "n1")!, addresses: HostAddresses(IPAddress(v4: 1)), applications: [], router: router)
        return Diagnosis.findings(of: status)
    }

    @Test("The best fast path is fine")
    func best() {
        let found = findings(.init(kind: "ebpf", missing: [:], directPorts: 2, routes: 5, failures: 0))
        #expect(found.map(\.isTrouble) == [false])
        #expect(found[0].text == "fast path: ebpf; 2 direct ports, 5 routes")
    }

    @Test("A second choice is fine, and the reason is told")
    func second() {
        let found = findings(
            .init(kind: "nftables", missing: ["ebpf": "not permitted"], directPorts: 0, routes: 0, failures: 0))
        #expect(found.map(\.isTrouble) == [false, false])
        #expect(found[1].text.contains("not permitted"))
    }

    @Test("No fast path at all is trouble, unless nobody wanted one")
    func none() {
        let wanted = findings(.init(kind: nil, missing: ["ebpf": "old kernel"], directPorts: 0, routes: 0, failures: 0))
        #expect(wanted.map(\.isTrouble) == [true])
        let unwanted = findings(.init(kind: nil, missing: [:], directPorts: 0, routes: 0, failures: 0))
        #expect(unwanted.map(\.isTrouble) == [false])
    }

    @Test("A kernel that refuses changes is trouble")
    func failures() {
        #expect(
            findings(.init(kind: "ebpf", missing: [:], directPorts: 0, routes: 0, failures: 3)).last?.isTrouble == true)
    }
}
