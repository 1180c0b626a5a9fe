import Testing

@testable import VersionKitIsolation

/// Goal: disks are what a User Mode Linux kernel would make. Method: bytes, compared with those of a kernel's.
@Suite("A machine's disk")
struct CopyOnWriteDiskTests {
    @Test("its header names the lower file, its size and its age, big-endian")
    func header() {
        let header = CopyOnWriteDisk.header(size: 0x1_00F5_4400, time: 0x6B02_0B96, lower: "layers")
        #expect(header.count == 4128)
        #expect(
            header[..<32].elementsEqual([
                0x4F, 0x4F, 0x4F, 0x4D, 0, 0, 0, 3, 0x6B, 0x02, 0x0B, 0x96, 0, 0, 0, 1, 0, 0xF5, 0x44, 0, 0, 0, 2, 0, 0,
                0,
                0x10, 0, 0, 0, 0, 0,
            ]))
        #expect(header[32..<38].elementsEqual("layers".utf8))
        #expect(header[38...].allSatisfy { $0 == 0 })
    }

    @Test(
        "its length has room for every sector, and a bit for each",
        arguments: [
            (16_777_216, 16_789_504), (4_310_716_416, 4_311_777_280), (4_311_041_024, 4_312_101_888),
        ])
    func length(size: Int, length: Int) {
        #expect(CopyOnWriteDisk.length(size: size) == length)
    }
}
