import Foundation
import NIOCore
import Testing
import VersionKitModel
import VersionKitWire

/// The test vectors of docs/wire-format.md: document and code cannot drift apart.
struct TestVector: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let answer: String

    var testDescription: String { "\(bytes.count) bytes -> \(answer)" }

    static let all: [TestVector] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        guard let text = try? String(contentsOf: root.appending(path: "docs/wire-format.md"), encoding: .utf8) else {
            return []
        }
        guard let heading = text.range(of: "\n## Test vectors\n") else { return [] }
        return text[heading.upperBound...].split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("| `"), cells.count == 2 else { return nil }
            let hex = cells[0].filter(\.isHexDigit)
            let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { offset in
                UInt8(hex.dropFirst(offset).prefix(2), radix: 16)
            }
            return TestVector(bytes: bytes, answer: cells[1])
        }
    }()
}

/// An answer in the words of the document.
func words(_ decoded: VersionHeader.Decoded) -> String {
    switch decoded {
    case .needMore: return "need-more"
    case .absent: return "absent"
    case .invalid(let fault): return fault.rawValue
    case .header(let header, _):
        let kind = header.flags.contains(.control) ? "control" : "header"
        let versions = [header.sender, header.advertised].map { $0?.description ?? "-" }.joined(separator: " ")
        return "\(kind) \(header.application) \(versions)"
    }
}

/// A small generator with a seed, so that a failure can be had again.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
