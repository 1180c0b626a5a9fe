import Testing
import VersionKitModel
import VersionKitUpgrade

@Suite("What an upgrade needs before it begins")
struct AdmissionTests {
    private let need = Admission(diskBytes: 100 << 20, memoryBytes: 50 << 20)

    private func room(
        disk: UInt64 = 1 << 30, memory: UInt64? = 1 << 30, upgrades: Int = 0
    ) -> Admission.Room {
        Admission.Room(diskBytes: disk, memoryBytes: memory, upgrades: upgrades, upgradesMax: 2)
    }

    @Test("an upgrade begins if disk, memory and the number of upgrades allow it")
    func admitted() {
        #expect(need.obstacle(in: room()) == nil)
        #expect(need.obstacle(in: room(disk: 132 << 20, memory: 82 << 20, upgrades: 1)) == nil)
        #expect(need.obstacle(in: room(memory: nil)) == nil)
        #expect(Admission(diskBytes: 0, memoryBytes: 0).obstacle(in: room(memory: 0)) == nil)
    }

    @Test("what is missing is said with numbers and a remedy")
    func refused() throws {
        let disk = try #require(need.obstacle(in: room(disk: (132 << 20) - 1)))
        #expect(disk.contains("the disk has 131 MiB free, and 132 MiB are needed") && disk.contains("snapshot remove"))
        let memory = try #require(need.obstacle(in: room(memory: 10 << 20)))
        #expect(memory.contains("the memory has 10 MiB free, and 82 MiB are needed") && memory.contains("memoryBytes"))
        let number = try #require(need.obstacle(in: room(upgrades: 2)))
        #expect(number.contains("2 upgrades are under way") && number.contains("upgradesMax"))
        #expect(Admission(diskBytes: .max, memoryBytes: 0).obstacle(in: room(disk: .max)) != nil)
    }

    @Test("a release's own numbers count before what can be guessed")
    func needs() throws {
        var manifest = ReleaseManifest(
            application: try #require(ApplicationID(rawValue: "a")), version: 1, name: "1", ports: .init(),
            layers: [], start: ["/a"], healthCheck: .init(port: 1))
        func admission(packed: UInt64, missing: UInt64 = 0, copied: UInt64 = 0) -> Admission {
            Admission(manifest, missingBytes: missing, packedBytes: packed, copiedBytes: copied, memoryLimit: 9)
        }
        #expect(admission(packed: 5, missing: 3, copied: 2) == Admission(diskBytes: 10, memoryBytes: 9))
        manifest.needs = .init(diskBytes: 100, memoryBytes: 7)
        #expect(admission(packed: 5, copied: 2) == Admission(diskBytes: 102, memoryBytes: 7))
        // What is unpacked already takes nothing more.
        #expect(admission(packed: 0) == Admission(diskBytes: 0, memoryBytes: 7))
        #expect(admission(packed: 5, copied: .max).diskBytes == .max)
    }
}
