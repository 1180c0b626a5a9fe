import Testing
import VersionKitModel

@Suite("The limits of a version")
struct ResourceLimitsTests {
    @Test("of what a release and its node say the stricter holds, each by itself")
    func stricter() {
        let release = ResourceLimits(memoryBytes: 100, processors: 2, tasks: 50)
        let node = ResourceLimits(memoryBytes: 200, processors: 1.5, diskBytes: 7)
        let both = ResourceLimits(memoryBytes: 100, processors: 1.5, tasks: 50, diskBytes: 7)
        #expect(release.stricter(node) == both)
        #expect(node.stricter(release) == both)
        #expect(node.stricter(nil) == node)
        #expect(ResourceLimits().stricter(ResourceLimits()) == ResourceLimits())
    }

    @Test("they read as words")
    func words() {
        #expect(ResourceLimits().description == "none")
        let all = ResourceLimits(memoryBytes: 1, processors: 1.5, tasks: 2, diskBytes: 3)
        #expect(all.description == "memory 1 bytes, 1.5 processors, 2 tasks, disk 3 bytes")
    }
}
