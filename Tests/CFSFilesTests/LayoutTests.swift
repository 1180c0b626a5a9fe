import CFSFiles
import Testing

/// Goal: each block of a file is found where it was put, at every boundary. The historic server failed beyond the first
/// indirect block (mended on 3 November 2004).
struct LayoutTests {
    /// Ten names in an indirect block.
    private let layout = FileLayout(blockSize: 512)

    @Test("names in an indirect block", arguments: [(512, 10), (2048, 48), (8192, 202), (1_048_568, 26_211)])
    func namesPerBlock(blockSize: Int, names: Int) {
        #expect(FileLayout(blockSize: blockSize)?.namesPerBlock == names)
    }

    @Test("blocks of other sizes are no blocks", arguments: [-1, 0, 511, 1_048_569, Int.max])
    func badSizes(blockSize: Int) { #expect(FileLayout(blockSize: blockSize) == nil) }

    @Test("the ways to all blocks are those of somebody who counts")
    func counting() throws {
        let layout = try #require(layout)
        var ways = (0..<128).map { FileLayout.Way.direct($0) } + (0..<10).map { .single($0) }
        for first in 0..<10 { for second in 0..<10 { ways.append(.double(first, second)) } }
        for first in 0..<10 {
            for second in 0..<10 { for third in 0..<10 { ways.append(.triple(first, second, third)) } }
        }
        #expect(layout.blocksMax == ways.count)
        for (index, way) in ways.enumerated() { #expect(layout.way(toBlock: index) == way) }
        #expect(layout.way(toBlock: ways.count) == nil)
        #expect(layout.way(toBlock: -1) == nil)
    }

    @Test("with the blocks of 2004, too, each level begins where the one before ends")
    func boundaries() throws {
        let layout = try #require(FileLayout(blockSize: 8192))
        #expect(layout.way(toBlock: 127) == .direct(127))
        #expect(layout.way(toBlock: 128) == .single(0))
        #expect(layout.way(toBlock: 128 + 201) == .single(201))
        #expect(layout.way(toBlock: 128 + 202) == .double(0, 0))
        #expect(layout.way(toBlock: 128 + 202 + 202 * 202 - 1) == .double(201, 201))
        #expect(layout.way(toBlock: 128 + 202 + 202 * 202) == .triple(0, 0, 0))
        #expect(layout.way(toBlock: 128 + 202 + 202 * 202 + 202 * 202 * 202 - 1) == .triple(201, 201, 201))
        #expect(layout.way(toBlock: 128 + 202 + 202 * 202 + 202 * 202 * 202) == nil)
    }

    @Test("the mistake of the historic server is not ours: block 138 is the first of the double indirect block")
    func historicMistake() throws {
        let layout = try #require(layout)
        // What it computed until the mistake was mended.
        func mistaken(_ block: Int) -> FileLayout.Way { .double((block - 128) / 10, (block - 128) % 10) }
        #expect(layout.way(toBlock: 138) == .double(0, 0))
        #expect(mistaken(138) == .double(1, 0))
    }

    @Test("a byte is in the block that its offset says")
    func offsets() throws {
        let layout = try #require(layout)
        for (offset, way, rest) in [
            (0, FileLayout.Way.direct(0), 0), (511, .direct(0), 511), (512, .direct(1), 0),
            (128 * 512 - 1, .direct(127), 511), (128 * 512, .single(0), 0),
        ] as [(UInt64, FileLayout.Way, Int)] {
            let found = try #require(layout.way(toOffset: offset))
            #expect(found.way == way)
            #expect(found.offset == rest)
        }
        #expect(layout.sizeMax == 1238 * 512)
        #expect(layout.way(toOffset: layout.sizeMax - 1)?.way == .triple(9, 9, 9))
        #expect(layout.way(toOffset: layout.sizeMax) == nil)
        #expect(layout.way(toOffset: .max) == nil)
    }

    @Test("every block is full but the last one")
    func lengths() throws {
        let layout = try #require(layout)
        #expect(layout.blockCount(ofSize: 0) == 0)
        #expect(layout.byteCount(ofBlock: 0, fileSize: 0) == nil)
        #expect(layout.blockCount(ofSize: 512) == 1)
        #expect(layout.byteCount(ofBlock: 0, fileSize: 512) == 512)
        #expect(layout.blockCount(ofSize: 513) == 2)
        #expect(layout.byteCount(ofBlock: 0, fileSize: 513) == 512)
        #expect(layout.byteCount(ofBlock: 1, fileSize: 513) == 1)
        #expect(layout.byteCount(ofBlock: 2, fileSize: 513) == nil)
        #expect(layout.blockCount(ofSize: layout.sizeMax) == 1238)
        #expect(layout.blockCount(ofSize: layout.sizeMax + 1) == nil)
        #expect(layout.blockCount(ofSize: .max) == nil)
    }
}
