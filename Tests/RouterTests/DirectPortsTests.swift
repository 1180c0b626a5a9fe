import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Direct ports")
struct DirectPortsTests {
    private var ports = DirectPorts(range: 10_001...10_003, rest: .seconds(60))

    private func key(_ version: Version, _ port: TransportPort = 7000) -> DirectPorts.Key {
        DirectPorts.Key(ApplicationID(rawValue: "cfs")!, version, port)
    }

    private mutating func fill() {
        for version in [1, 2, 3] as [Version] { _ = ports.number(for: key(version), avoiding: [], at: .zero) }
    }

    @Test("A version keeps its number, and has one for each port")
    mutating func stable() {
        let first = ports.number(for: key(1), avoiding: [], at: .zero)
        #expect(first == 10_001)
        #expect(ports.number(for: key(1), avoiding: [], at: .seconds(900)) == first)
        #expect(ports.number(for: key(1, .udp(7000)), avoiding: [], at: .zero) == 10_002)
    }

    @Test("A number that was given back is no other version's until peers have forgotten it")
    mutating func rest() {
        fill()
        ports.keep([key(1), key(3)], at: .seconds(10))
        #expect(ports.number(for: key(4), avoiding: [], at: .seconds(69)) == nil)
        #expect(ports.number(for: key(4), avoiding: [], at: .seconds(70)) == 10_002)
    }

    @Test("A version that runs again is where peers still look for it")
    mutating func again() {
        fill()
        ports.keep([key(1), key(3)], at: .seconds(10))
        #expect(ports.number(for: key(2), avoiding: [], at: .seconds(20)) == 10_002)
        #expect(ports.number(for: key(4), avoiding: [], at: .seconds(90)) == nil)
    }

    @Test("What an earlier run gave out is still in use, and rests when it is not wanted")
    func earlierRun() {
        var ports = DirectPorts(range: 10_001...10_002, rest: .seconds(60), numbers: [key(1): 10_001, key(9): 1])
        #expect(ports.number(for: key(2), avoiding: [], at: .zero) == 10_002)
        ports.keep([key(2)], at: .zero)
        #expect(ports.number(for: key(3), avoiding: [], at: .seconds(59)) == nil)
        #expect(ports.number(for: key(1), avoiding: [], at: .seconds(59)) == 10_001)
    }

    @Test("Numbers that an application uses itself are not given out")
    mutating func reserved() {
        #expect(ports.number(for: key(1), avoiding: [10_001], at: .zero) == 10_002)
    }

    @Test("When all are in use there is none, and nobody loses the one it has")
    mutating func full() {
        fill()
        #expect(ports.number(for: key(4), avoiding: [], at: .seconds(1)) == nil)
        #expect(ports.numbers.count == 3)
    }
}
