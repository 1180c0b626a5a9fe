import Testing
import VersionKitModel

@Suite("Version, VersionList, names")
struct VersionTests {
    @Test("0 and odd spellings are no version")
    func versions() {
        #expect(Version(UInt32.min) == nil)
        #expect(Version("2") == 2)
        for text in ["", "0", "01", "-1", "2 ", "4294967296", "x"] { #expect(Version(text) == nil) }
        #expect(([3, 1, 2] as [Version]).sorted() == [1, 2, 3])
    }

    @Test("a list runs from the oldest to the newest, and backwards")
    func list() {
        var list: VersionList = [3, 1, 3]
        #expect(Array(list) == [1, 3])
        list.insert(2)
        #expect(Array(list.reversed()) == [3, 2, 1])
        #expect(list.min == 1)
        #expect(list.max == 3)
        list.remove(3)
        list.remove(7)
        #expect(list.max == 2)
        #expect(VersionList().min == nil)
    }

    @Test("a version with writes only is listed and does not read")
    func roles() {
        var list: VersionList = [1, 2]
        list.insert(1, role: .writesOnly)
        #expect(list.contains(1))
        #expect(Array(list.reading) == [2])
        list.insert(1)
        #expect(Array(list.reading) == [1, 2])
    }

    @Test("names of applications are short, plain and begin with a letter")
    func names() {
        for good in ["irislog", "a", "cfs-2", String(repeating: "a", count: 63)] {
            #expect(ApplicationID(rawValue: good) != nil)
        }
        for bad in ["", "1a", "-a", "A", "a b", "a/b", "é", String(repeating: "a", count: 64)] {
            #expect(ApplicationID(rawValue: bad) == nil)
        }
    }
}
