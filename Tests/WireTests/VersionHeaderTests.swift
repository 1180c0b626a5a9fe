import Foundation
import NIOCore
import Testing
import VersionKitModel
import VersionKitWire

@Suite("VersionHeader")
struct VersionHeaderTests {
    @Test("the document has test vectors of every answer")
    func document() {
        let answers = Set(TestVector.all.map(\.answer))
        for fault in VersionHeader.Fault.allCases where fault != .truncated {
            #expect(answers.contains(fault.rawValue))
        }
        #expect(answers.isSuperset(of: ["need-more", "absent", "header irislog 1 2", "control cfs - -"]))
    }

    @Test("every test vector of the document is answered as it says", arguments: TestVector.all)
    func vector(_ vector: TestVector) {
        #expect(words(VersionHeader.decode(ByteBuffer(bytes: vector.bytes))) == vector.answer)
    }

    @Test("fed byte by byte, the answer is 'need more' until it is final", arguments: TestVector.all)
    func dripFed(_ vector: TestVector) {
        var final: VersionHeader.Decoded?
        for length in 0...vector.bytes.count {
            let decoded = VersionHeader.decode(ByteBuffer(bytes: vector.bytes.prefix(length)))
            if let final {
                #expect(decoded == final)
            } else if decoded != .needMore {
                final = decoded
            }
        }
        #expect(words(final ?? .needMore) == vector.answer)
    }

    @Test("junk before and behind the readable bytes makes no difference", arguments: TestVector.all)
    func surrounded(_ vector: TestVector) {
        var buffer = ByteBuffer(bytes: [0xF6, 0x56, 0x4B] + vector.bytes)
        buffer.moveReaderIndex(forwardBy: 3)
        #expect(words(VersionHeader.decode(buffer)) == vector.answer)
        #expect(buffer.readableBytes == vector.bytes.count)
    }

    @Test("a stream that ends within the magic has no header; one that ends behind it is truncated")
    func endOfStream() {
        let whole = VersionHeader.magic + [1, 0, 0, 24]
        for length in 0..<whole.count {
            let expected: VersionHeader.Decoded = length < 4 ? .absent : .invalid(.truncated)
            #expect(VersionHeader.decodeAtEnd(ByteBuffer(bytes: whole.prefix(length))) == expected)
        }
    }

    @Test("a header of any content is read as it was written")
    func roundTrip() throws {
        var random = SplitMix64(seed: 1)
        for _ in 0..<500 {
            let header = try makeHeader(&random)
            var buffer = header.encoded()
            let length = buffer.readableBytes
            buffer.writeBytes([1, 2, 3])
            #expect(VersionHeader.decode(buffer) == .header(header, length: length))
        }
    }

    private func makeHeader(_ random: inout SplitMix64) throws -> VersionHeader {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        let name = String(
            (0..<Int.random(in: 1...63, using: &random)).compactMap { _ in letters.randomElement(using: &random) })
        let isControl = Bool.random(using: &random)
        let extensions = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            VersionHeader.Extension(
                type: UInt8.random(in: 0..<0x80, using: &random),
                value: (0..<Int.random(in: 0...255, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                })
        }
        return VersionHeader(
            application: try #require(ApplicationID(rawValue: name)),
            sender: isControl ? nil : Version(UInt32.random(in: 1...UInt32.max, using: &random)),
            advertised: Version(UInt32.random(in: 0...3, using: &random)),
            flags: isControl ? .control : [], extensions: extensions)
    }

    @Test("bytes that were changed at random never crash, and what is read from them can be written and read again")
    func mutations() throws {
        var random = SplitMix64(seed: 2)
        for _ in 0..<5000 {
            var bytes = Array(try makeHeader(&random).encoded().readableBytesView)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if case .header(let header, _) = VersionHeader.decode(ByteBuffer(bytes: bytes)) {
                let again = header.encoded()
                #expect(VersionHeader.decode(again) == .header(header, length: again.readableBytes))
            }
        }
    }

    @Test("whatever the fuzzer once found is answered")
    func failCases() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        for folder in ["Fuzzing/FailCases", "Fuzzing/Seeds/HeaderFuzzer"] {
            let directory = root.appending(path: folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: directory.path()) {
                let url = directory.appending(path: name)
                guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
                let bytes = ByteBuffer(bytes: [UInt8](try Data(contentsOf: url)))
                #expect(VersionHeader.decodeAtEnd(bytes) != .needMore)
            }
        }
    }
}
