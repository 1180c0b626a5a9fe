import Foundation
import Synchronization
import Testing
import VersionKitKernel
import VersionKitModel
import VersionKitNode
import VersionKitRouter
import VersionKitWire

@Suite("The router's part in the kernel")
struct KernelRouterTests {
    /// A kernel that only writes down what it is told.
    private final class Recorder: KernelPath {
        let kind = KernelPathKind.ebpf
        private let log = Mutex<[String]>([])
        private let isRefusing = Mutex(false)
        private let isRefusingV6 = Mutex(false)

        func refuse() { isRefusing.withLock { $0 = true } }

        /// Refuses ports of IPv6 only.
        func refuseV6() { isRefusingV6.withLock { $0 = true } }

        /// What was told since the last look.
        func take() -> [String] {
            log.withLock { log in
                defer { log = [] }
                return log
            }
        }

        private func add(_ text: String) throws(KernelPathError) {
            guard !isRefusing.withLock({ $0 }) else { throw KernelPathError("no room") }
            log.withLock { $0.append(text) }
        }

        func open(_ port: DirectPort, interface: String) throws(KernelPathError) {
            if port.version.family == .v6, isRefusingV6.withLock({ $0 }) { throw KernelPathError("no IPv6") }
            try add("open \(port.number) for \(port.port) of \(port.version) by \(interface)")
        }
        func close(_ port: DirectPort) throws(KernelPathError) { try add("close \(port.number)") }
        func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError) {
            try add("learn \(route.version) \(route.peer) \(route.port) \(directPort)")
        }
        func name(_ route: DirectRoute, _ directPort: UInt16) throws(KernelPathError) {
            try add("name \(route.version) \(route.peer) \(route.port) \(directPort)")
        }
        func forget(_ route: DirectRoute) throws(KernelPathError) {
            try add("forget \(route.version) \(route.peer) \(route.port)")
        }
        func traffic() throws(KernelPathError) -> [KernelTraffic] { [] }
        func remove() {}
    }

    private final class Clock: Sendable {
        private let time = Mutex(Duration.zero)
        var now: Duration { time.withLock { $0 } }
        func advance(_ by: Duration) { time.withLock { $0 += by } }
    }

    private let kernel = Recorder()
    private let clock = Clock()
    private let directory = FileManager.default.temporaryDirectory.appending(path: "kernel-\(UUID())")
    private let application = ApplicationID(rawValue: "cfs")!
    private let peer = IPAddress("192.168.60.2")!

    private func router(file: String? = nil) throws -> KernelRouter {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return KernelRouter(
            path: kernel, missing: [:], range: 10_001...10_009,
            file: file ?? directory.appending(path: "ports.json").path(), now: { [clock] in clock.now }, note: { _ in })
    }

    private func serving(_ version: Version, slot: Int = 0, hasV6: Bool = false) -> KernelRouter.Serving {
        let v4 = IPAddress("10.77.0.\(4 * slot + 2)")!
        return KernelRouter.Serving(
            application: application, version: version,
            addresses: hasV6 ? HostAddresses(v4, IPAddress("fd00:564b::\(4 * slot + 2)")!) : HostAddresses(v4),
            interface: "vk\(slot)", ports: [7000])
    }

    private func header(_ version: Version, directPort: UInt16?) -> VersionHeader {
        var header = VersionHeader(application: application, sender: version)
        header.directPort = directPort.map { .init($0, seconds: 60) }
        return header
    }

    @Test("a version that serves has a direct port, which is closed when it serves no more")
    func opens() async throws {
        let router = try router()
        let key = DirectPorts.Key(application, 1, 7000)
        #expect(await router.update([serving(1)]) == [key: 10_001])
        #expect(kernel.take() == ["open 10001 for 7000 of 10.77.0.2 by vk0"])
        #expect(await router.update([serving(1)]) == [key: 10_001])
        #expect(kernel.take() == [])
        #expect(await router.update([]) == [:])
        #expect(kernel.take() == ["close 10001"])
    }

    @Test("a version whose environment was made anew keeps its number, though not its interface")
    func moves() async throws {
        let router = try router()
        _ = await router.update([serving(1)])
        _ = kernel.take()
        _ = await router.update([serving(1, slot: 3)])
        #expect(kernel.take() == ["close 10001", "open 10001 for 7000 of 10.77.0.14 by vk3"])
    }

    @Test(
        "a version with addresses of both kinds has one number for both, and peers of each kind have routes of theirs")
    func bothKinds() async throws {
        let router = try router()
        let version = serving(1, hasV6: true)
        #expect(await router.update([version]) == [DirectPorts.Key(application, 1, 7000): 10_001])
        #expect(
            kernel.take() == [
                "open 10001 for 7000 of 10.77.0.2 by vk0", "open 10001 for 7000 of fd00:564b::2 by vk0",
            ])
        let here = try #require(version.addresses[.v6])
        let there = try #require(IPAddress("2001:db8::2"))
        await router.heard(header(1, directPort: 10_005), from: there, by: 7000, version: here, isMutual: true)
        await router.heard(
            header(1, directPort: 10_005), from: peer, by: 7000, version: version.addresses.primary, isMutual: true)
        #expect(
            kernel.take() == [
                "learn fd00:564b::2 2001:db8::2 7000 10005", "learn 10.77.0.2 192.168.60.2 7000 10005",
            ])
        _ = await router.update([])
        #expect(
            kernel.take().sorted() == [
                "close 10001", "close 10001", "forget 10.77.0.2 192.168.60.2 7000",
                "forget fd00:564b::2 2001:db8::2 7000",
            ])
    }

    @Test("a number that the kernel takes for one kind of address only is given out for none")
    func oneKind() async throws {
        let router = try router()
        kernel.refuseV6()
        #expect(await router.update([serving(1, hasV6: true)]) == [:])
        #expect(kernel.take() == ["open 10001 for 7000 of 10.77.0.2 by vk0", "close 10001"])
        #expect(await router.failures == 1)
    }

    @Test("what a peer says becomes a route, and is forgotten in time")
    func learns() async throws {
        let router = try router()
        _ = await router.update([serving(1)])
        _ = kernel.take()
        let here = serving(1).addresses.primary
        await router.heard(header(1, directPort: 10_005), from: peer, by: 7000, version: here, isMutual: true)
        #expect(kernel.take() == ["learn 10.77.0.2 192.168.60.2 7000 10005"])
        clock.advance(.seconds(59))
        await router.expire()
        #expect(kernel.take() == [])
        clock.advance(.seconds(1))
        await router.expire()
        #expect(kernel.take() == ["forget 10.77.0.2 192.168.60.2 7000"])
    }

    @Test("a version that does not serve has no route, whatever peers say")
    func unserved() async throws {
        let router = try router()
        await router.heard(
            header(1, directPort: 10_005), from: peer, by: 7000, version: serving(1).addresses.primary, isMutual: true)
        #expect(kernel.take() == [])
    }

    @Test("when the list of versions changes the next conversation goes with a header, to tell the peer")
    func advertises() async throws {
        let router = try router()
        _ = await router.update([serving(1)])
        await router.heard(
            header(1, directPort: 10_005), from: peer, by: 7000, version: serving(1).addresses.primary, isMutual: true)
        _ = kernel.take()
        _ = await router.update([serving(1), serving(2, slot: 1)])
        #expect(
            Set(kernel.take()) == [
                "forget 10.77.0.2 192.168.60.2 7000", "open 10002 for 7000 of 10.77.0.6 by vk1",
            ])
    }

    @Test("after a crash every version is where peers know it")
    func restarted() async throws {
        _ = await (try router()).update([serving(1), serving(2, slot: 1)])
        let again = try router()
        let numbers = await again.update([serving(2, slot: 1)])
        #expect(numbers == [DirectPorts.Key(application, 2, 7000): 10_002])
    }

    @Test("a number that rested when versiond was killed rests on")
    func restedBefore() async throws {
        let before = try router()
        _ = await before.update([serving(1)])
        _ = await before.update([])
        // Written down with the next one that is given out.
        _ = await before.update([serving(2, slot: 1)])
        let numbers = await (try router()).update([serving(2, slot: 1), serving(3, slot: 2)])
        #expect(Set(numbers.values) == [10_002, 10_003])
    }

    @Test("a number that cannot be written down is not given out")
    func unwritten() async throws {
        let router = try router(file: directory.path() + "/missing/ports.json")
        for attempt in 1...2 as ClosedRange<UInt64> {
            #expect(await router.update([serving(1)]) == [:])
            #expect(kernel.take() == [])
            #expect(await router.failures == attempt)
        }
    }

    @Test("what the kernel refuses is counted, and peers do not hear of it")
    func refused() async throws {
        let router = try router()
        kernel.refuse()
        #expect(await router.update([serving(1)]) == [:])
        #expect(await router.failures == 1)
    }
}
