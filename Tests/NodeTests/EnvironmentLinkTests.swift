import Testing
import VersionKitModel

@testable import VersionKitIsolation

@Suite("The link to an environment")
struct EnvironmentLinkTests {
    private let v4 = IPAddress("10.77.0.0")!
    private let v6 = IPAddress("fd00:564b::")!

    @Test("without IPv6 it has the addresses of a /30, and nothing of IPv6 is set up")
    func onlyV4() {
        let link = EnvironmentLink(networks: HostAddresses(v4), slot: 3)
        #expect(
            link.hostCommands(processID: 42) == """
                link add vk3 type veth peer name eth0 netns 42
                address add 10.77.0.13/30 dev vk3
                link set vk3 up

                """)
        #expect(
            link.environmentCommands == """
                link set lo up
                address add 10.77.0.14/30 dev eth0
                link set eth0 up
                route add default via 10.77.0.13 dev eth0 mtu 1404

                """)
    }

    @Test("with both kinds it has two networks; addresses of IPv6 are usable at once")
    func both() {
        let link = EnvironmentLink(networks: HostAddresses(v4, v6), slot: 64)
        #expect(link.addresses.description == "10.77.1.2, fd00:564b::102")
        #expect(
            link.hostCommands(processID: 42) == """
                link add vk64 type veth peer name eth0 netns 42
                address add 10.77.1.1/30 dev vk64
                link set vk64 addrgenmode none
                address add fe80::1/64 dev vk64 nodad
                address add fd00:564b::101/126 dev vk64 nodad
                link set vk64 up

                """)
        #expect(
            link.environmentCommands.hasSuffix(
                """
                route add default via 10.77.1.1 dev eth0 mtu 1404
                route add default via fd00:564b::101 dev eth0 mtu 1404

                """))
    }

    @Test("that of a machine has its far end where nothing else is, and nobody there says anything")
    func machine() {
        let link = EnvironmentLink(networks: HostAddresses(v4), slot: 3)
        #expect(
            link.farCommands(node: 42) == """
                link add eth0 type veth peer name vk3 netns 42
                link set eth0 addrgenmode none
                link set eth0 up

                """)
        #expect(
            link.nodeCommands == """
                address add 10.77.0.13/30 dev vk3
                link set vk3 up

                """)
    }

    @Test("with IPv6 alone there is nothing of IPv4")
    func onlyV6() {
        let link = EnvironmentLink(networks: HostAddresses(v6), slot: 0)
        #expect(link.addresses.all == [IPAddress("fd00:564b::2")])
        #expect(!link.environmentCommands.contains("/30"))
    }
}
