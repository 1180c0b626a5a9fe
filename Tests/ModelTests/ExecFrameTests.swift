import Testing
import VersionKitModel

/// Goal: what one side of a command's conversation says the other side understands, however it comes in pieces.
@Suite("Frames of exec")
struct ExecFrameTests {
    static let frames: [ExecFrame] = [
        .input([1, 2, 3]), .input([]), .window(TerminalSize(rows: 24, columns: 132)), .signal(2), .output([0, 255]),
        .error(Array(repeating: 7, count: ExecFrame.bytesMax)), .exit(137), .exit(-1),
    ]

    @Test("frames come out as they went in, all at once")
    func roundTrip() throws {
        var reader = ExecFrameReader()
        reader.append(Self.frames.flatMap(\.bytes))
        for frame in Self.frames { #expect(try reader.next() == frame) }
        #expect(try reader.next() == nil)
    }

    @Test("frames come out as they went in, byte by byte")
    func byteByByte() throws {
        var reader = ExecFrameReader()
        var found: [ExecFrame] = []
        for byte in Self.frames.flatMap(\.bytes) {
            reader.append([byte])
            while let frame = try reader.next() { found.append(frame) }
        }
        #expect(found == Self.frames)
    }

    @Test(
        "what is no frame is refused, before anybody waits for the rest",
        arguments: [
            [9, 0, 0, 0, 0], [0, 255, 255, 255, 255], [0, 0, 0, 128, 1], [1, 0, 0, 0, 3, 1, 2, 3], [5, 0, 0, 0, 0],
        ] as [[UInt8]])
    func refuses(bytes: [UInt8]) {
        var reader = ExecFrameReader()
        reader.append(bytes)
        #expect(throws: ExecFrameReader.Violation()) { try reader.next() }
    }

    @Test("whatever comes is taken apart or refused, and nothing waits for more than a frame")
    func noise() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<2000 {
            var reader = ExecFrameReader()
            let bytes = (0..<64).map { index in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                // Mostly small numbers, or nothing would be a frame.
                return UInt8(truncatingIfNeeded: index % 3 == 0 ? state % 7 : 0)
            }
            reader.append(bytes)
            var taken = 0
            while let frame = try? reader.next() { taken += frame.bytes.count }
            #expect(taken <= bytes.count)
        }
    }
}
