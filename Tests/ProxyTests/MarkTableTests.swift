import NIOCore
import Testing

@testable import VersionKitProxy

@Suite("MarkTable")
struct MarkTableTests {
    @Test("whatever is put in and taken out, it holds what a dictionary holds", arguments: 0..<10)
    func likeADictionary(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var table = MarkTable<UInt64>()
        var dictionary: [KeyMark: UInt64] = [:]
        for _ in 0..<2000 {
            let mark = KeyMark(ByteBuffer(integer: random(200)))
            let value = random(3) == 0 ? nil : random(1000)
            let known = table.update(mark) { old in
                defer { old = value }
                return old
            }
            #expect(known == dictionary[mark])
            dictionary[mark] = value
            #expect(table.count == dictionary.count)
        }
        for (mark, value) in dictionary { #expect(table.update(mark) { $0 } == value) }
    }
}
