import Testing
import VersionKitModel

@testable import VersionKitIsolation

@Suite("What a Xen domain is made from")
struct XenMachineTests {
    private let networks = HostAddresses(IPAddress("10.77.0.0")!, IPAddress("fd00:564b::")!)

    private func machine(
        layers: Int = 2, dataPath: String? = nil, limits: ResourceLimits = ResourceLimits(),
        change: (inout XenSettings) -> Void = { _ in }
    ) throws(IsolationError) -> XenMachine {
        var settings = XenSettings(kernel: "/boot/vmlinux", ramdisk: "/boot/guest.cpio")
        change(&settings)
        return try XenMachine(
            EnvironmentSpecification(
                name: "irislog-2", layers: [], slot: 3, runDirectory: "/run",
                tools: EnvironmentTools(versionctl: "", runtime: nil, agent: ""), dataPath: dataPath,
                limits: limits),
            layers: layers, link: EnvironmentLink(networks: networks, slot: 3),
            place: XenPlace(base: "/state/irislog-2"), settings: settings)
    }

    @Test("it has a disk for each layer, one with the tools, and only the last may be written to")
    func disks() throws {
        let disks = try machine().disks
        #expect(disks.map(\.device) == ["xvda", "xvdb", "xvdc", "xvdd"])
        #expect(
            disks.map { $0.image.dropFirst("/state/irislog-2/".count) } == [
                "layer-0.img", "layer-1.img", "tools.img", "data.img",
            ])
        #expect(disks.filter(\.isWritable).map(\.device) == ["xvdd"])
    }

    @Test("its kernel is told where the disks and addresses are, and what the operator wants besides")
    func commandLine() throws {
        let machine = try machine { $0.kernelArguments = ["mitigations=off"] }
        #expect(
            machine.commandLine == """
                console=hvc0 quiet panic=1 vk.name=irislog-2 vk.layers=2 vk.tools=xvdc vk.data=xvdd \
                vk.address=10.77.0.14/30,fd00:564b::e/126 vk.gateway=10.77.0.13,fd00:564b::d vk.mtu=1404 \
                vk.ports=32768-50999 mitigations=off
                """)
        #expect(machine.bridge == "vk3")
        #expect(machine.name == "versionkit-irislog-2")
    }

    @Test("the durable state has a disk of its own, and its kernel is told where that goes")
    func durableState() throws {
        let machine = try machine(dataPath: "/var/lib/irislog")
        #expect(machine.disks.last == .init(image: "/state/irislog-2/state.img", device: "xvde", isWritable: true))
        #expect(machine.disks.filter(\.isWritable).map(\.device) == ["xvdd", "xvde"])
        #expect(machine.commandLine.hasSuffix(" vk.state=xvde:/var/lib/irislog"))
        for path in ["/var/lib/iris log", "/" + String(repeating: "a", count: 1000)] {
            #expect(throws: IsolationError.self) { try self.machine(dataPath: path) }
        }
    }

    @Test("limits are its size; part of a processor is a cap on a whole one")
    func limits() throws {
        let limited = try machine(limits: ResourceLimits(memoryBytes: 512 << 20, processors: 1.5))
        #expect(limited.memoryKibibytes == 512 << 10)
        #expect(limited.processors == 2)
        #expect(limited.processorPercent == 150)
        #expect(try machine(limits: ResourceLimits(tasks: 64)).commandLine.hasSuffix(" vk.tasks=64"))
        let unlimited = try machine()
        #expect(unlimited.memoryKibibytes == 256 << 10)
        #expect(unlimited.processors == 1)
        #expect(unlimited.processorPercent == nil)
    }

    @Test("it never has less memory than a kernel needs")
    func leastMemory() throws {
        #expect(try machine(limits: ResourceLimits(memoryBytes: 1)).memoryKibibytes == 96 << 10)
    }

    @Test("a version without layers, or with more than a guest has letters for, is refused")
    func layers() {
        for count in [0, 17] {
            #expect(throws: IsolationError.self) { try machine(layers: count) }
        }
    }

    @Test("the bridge of its link has the name and the addresses that a veth would have")
    func bridge() {
        #expect(
            EnvironmentLink(networks: networks, slot: 3).bridgeCommands == """
                link add vk3 type bridge
                address add 10.77.0.13/30 dev vk3
                link set vk3 addrgenmode none
                address add fe80::1/64 dev vk3 nodad
                address add fd00:564b::d/126 dev vk3 nodad
                link set vk3 up

                """)
    }
}
