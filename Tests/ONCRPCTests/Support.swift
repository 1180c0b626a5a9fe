import NIOCore
import ONCRPC
import Testing

/// Bytes as people write them: hexadecimal, spaces and line breaks as they like.
func hex(_ text: String) -> ByteBuffer {
    let digits = text.filter { !$0.isWhitespace }
    var bytes = ByteBuffer()
    var rest = digits[...]
    while !rest.isEmpty {
        guard let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 else {
            Issue.record("not hexadecimal: \(rest)")
            break
        }
        bytes.writeInteger(byte)
        rest = rest.dropFirst(2)
    }
    return bytes
}

func text(_ string: String) -> ByteBuffer { ByteBuffer(string: string) }

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The program of the tests.
enum Counting {
    static let program = RPCProgram(0x2000_0001, version: 3, name: "counting")
    static let add = RPCProcedure<Int64, Int64>(program, 1, "ADD")
    static let total = RPCProcedure<XDRVoid, Int64>(program, 2, "TOTAL", isRepeatable: true)
}

/// What the program counts.
actor Counter {
    private(set) var total: Int64 = 0

    func add(_ number: Int64) -> Int64 {
        total += number
        return total
    }

    static func service(_ counter: Counter) -> RPCService {
        var service = RPCService(Counting.program)
        service.on(Counting.add) { number, _ in await counter.add(number) }
        service.on(Counting.total) { _, _ in await counter.total }
        return service
    }
}
