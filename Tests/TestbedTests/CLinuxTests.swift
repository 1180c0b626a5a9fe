import CLinux
import Glibc
import Testing
import VersionKitProcesses

@testable import VersionKitTestbed

/// The wrappers whose C is more than one call.
@Suite struct CLinuxTests {
    private func pair() throws -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    @Test("a child's descriptors may be exchanged with each other")
    func overlappingDescriptors() throws {
        let first = try MemoryFile()
        let second = try MemoryFile()
        let (one, two) = (first.descriptor, second.descriptor)
        // Each becomes the other, through the very numbers they have here.
        let launch = Launch(
            executable: "/bin/sh",
            arguments: ["-c", "echo a >/proc/self/fd/\(one); echo b >/proc/self/fd/\(two)"],
            descriptors: [(one, two), (two, one)])
        let (pid, handle) = try launch.start()
        #expect(try HostProcess(pid: pid, handle: handle, outputEnd: nil).waitBlocking() == .exited(0))
        #expect(first.contents() == "b\n")
        #expect(second.contents() == "a\n")
    }

    @Test("descriptors arrive with the bytes, and are those that were sent")
    func sendingDescriptors() throws {
        let (near, far) = try pair()
        let files = [try MemoryFile("zero"), try MemoryFile("one")]
        // The calls know only numbers: the objects have to outlive them.
        defer { withExtendedLifetime((near, far, files)) {} }
        let numbers = files.map(\.descriptor)
        #expect(vk_send_descriptors(near.number, "hi", 2, numbers, numbers.count) == 2)
        var buffer = [UInt8](repeating: 0, count: 10)
        var received = [Int32](repeating: -1, count: 4)
        var count = 0
        #expect(vk_receive_descriptors(far.number, &buffer, buffer.count, &received, received.count, &count) == 2)
        #expect(buffer.prefix(2) == [104, 105])
        #expect(count == 2)
        for (number, text) in zip(received, ["zero", "one"]) {
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
            var bytes = [UInt8](repeating: 0, count: 10)
            #expect(pread(number, &bytes, 10, 0) == text.utf8.count)
            #expect(bytes.prefix(text.utf8.count).elementsEqual(text.utf8))
            close(number)
        }
    }

    @Test("more descriptors than asked for are an error, and none is kept")
    func tooManyDescriptors() throws {
        let (near, far) = try pair()
        let file = try MemoryFile()
        defer { withExtendedLifetime((near, far, file)) {} }
        let numbers = [Int32](repeating: file.descriptor, count: 2)
        #expect(vk_send_descriptors(near.number, "x", 1, numbers, 2) == 1)
        var buffer: [UInt8] = [0]
        var received: [Int32] = [-1]
        var count = 7
        #expect(vk_receive_descriptors(far.number, &buffer, 1, &received, 1, &count) == -1)
        #expect(errno == EMSGSIZE)
        #expect(count == 0)
    }

    @Test("a socket made in another network namespace leaves this thread where it was")
    func socketElsewhere() throws {
        // Also says so if this is not run inside the sandbox.
        try Testbed(TestbedPlan()).stop()
        let namespace = try Descriptor(checking: vk_new_network_namespace(), "namespace")
        var before = stat()
        var after = stat()
        stat("/proc/thread-self/ns/net", &before)
        let type = Int32(SOCK_DGRAM.rawValue)
        let socket = try Descriptor(checking: vk_socket_in(namespace.number, AF_INET, type, 0), "socket")
        stat("/proc/thread-self/ns/net", &after)
        #expect(before.st_ino == after.st_ino)
        defer { withExtendedLifetime((namespace, socket)) {} }
        // Loopback is down there, and up here.
        let there = vk_endpoint(address: vk_address(high: 0, low: 0xFFFF_7F00_0001), port: 9)
        #expect(vk_connect(socket.number, there) == -1)
        #expect(errno == ENETUNREACH)
        let here = try Descriptor(checking: vk_socket_in(-1, AF_INET, type, 0), "socket")
        #expect(vk_connect(here.number, there) == 0)
        defer { withExtendedLifetime(here) {} }
        var local = vk_endpoint()
        #expect(vk_local_address(here.number, &local) == 0)
        #expect(local.address.low == there.address.low)
    }

    @Test("a mount is made read-only with what is mounted below it")
    func readOnly() throws {
        try Testbed(TestbedPlan()).stop()
        let outer = "/run/read-only-test"
        let inner = outer + "/inner"
        mkdir(outer, 0o755)
        try #require(vk_mount("none", outer, "tmpfs", 0, nil) == 0)
        defer { _ = vk_umount2(outer, Int32(MNT_DETACH)) }
        mkdir(inner, 0o755)
        try #require(vk_mount("none", inner, "tmpfs", 0, nil) == 0)
        #expect(mkdir(inner + "/before", 0o755) == 0)
        #expect(vk_mount_read_only_recursive(outer) == 0)
        #expect(mkdir(inner + "/after", 0o755) == -1)
        #expect(errno == EROFS)
    }
}
