import Testing
import VersionKitRouter

@Suite("Adaptive splicing")
struct AdaptiveSpliceTests {
    @Test("two reads in a row of a stream's size begin splicing; one does not, nor two with a message between")
    func begins() {
        var splice = AdaptiveSplice()
        splice.moved(64 << 10)
        #expect(!splice.isSplicing)
        splice.moved(100)
        splice.moved(16 << 10)
        #expect(!splice.isSplicing)
        splice.moved(16 << 10)
        #expect(splice.isSplicing)
    }

    @Test("four small splices in a row end it; three do not, nor four with a big one between")
    func ends() {
        var splice = AdaptiveSplice()
        for _ in 0..<2 { splice.moved(64 << 10) }
        for bytes in [100, 100, 100, 8 << 10, 100, 100, 100] { splice.moved(bytes) }
        #expect(splice.isSplicing)
        splice.moved(100)
        #expect(!splice.isSplicing)
    }
}
