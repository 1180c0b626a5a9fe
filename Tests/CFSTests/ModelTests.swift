import CFSModel
import Testing

@Suite("Ids of the ring")
struct ModelTests {
    @Test("a node's id is the hash of address, port and number")
    func nodeIDs() throws {
        let address = try #require(NodeAddress(ipv4: 0x7F00_0001, port: 10_000, virtualNode: 0))
        #expect(address.name == "127.0.0.1.10000.0")
        #expect(ChordNode(address).id.description == "9173f7cbbc4f426392eca75f3a45781d292f69c2")
    }

    @Test("no node has an address that nobody can have")
    func addresses() {
        #expect(NodeAddress(ipv4: 1, port: 1, virtualNode: 1024) == nil)
        #expect(NodeAddress(ipv4: 1, port: 0, virtualNode: 0) == nil)
        #expect(NodeAddress(ipv4: 0, port: 1, virtualNode: 0) == nil)
        #expect(NodeAddress(ipv4: 0xE000_0001, port: 1, virtualNode: 0) == nil)
        #expect(NodeAddress(ipv4: .max, port: 1, virtualNode: 0) == nil)
    }

    @Test("an id is written without leading zeros, and read with or without them")
    func text() {
        #expect(ChordID(0).description == "0")
        #expect(ChordID(0xAB).description == "ab")
        #expect(ChordID("00ab") == ChordID(0xAB))
        #expect(ChordID(String(repeating: "F", count: 40)) == ChordID(0).previous)
        #expect(ChordID("1" + String(repeating: "0", count: 40)) == nil)
        #expect(ChordID("") == nil)
        #expect(ChordID("12g") == nil)
    }

    @Test("bytes and text give back the same id")
    func roundTrips() {
        var random = seeded()
        for _ in 0..<200 {
            let id = ChordID(using: &random)
            #expect(ChordID(bigEndian: id.bytes) == id)
            #expect(ChordID(bigEndian: [0, 0, 0, 0] + id.bytes) == id)
            #expect(ChordID(id.description) == id)
            #expect(MerkleHash(key: id).bytes == id.bytes.reversed())
            #expect(MerkleHash(bytes: MerkleHash(key: id).bytes) == MerkleHash(key: id))
            #expect(MerkleHash(key: id).key == id)
        }
        #expect(ChordID(bigEndian: [1] + [UInt8](repeating: 0, count: 20)) == nil)
    }

    @Test("sums and differences go around the circle")
    func arithmetic() {
        #expect(ChordID(0).previous.next == ChordID(0))
        #expect(ChordID(5) &- ChordID(7) &+ ChordID(2) == ChordID(0))
        var random = seeded(2)
        for exponent in 0..<160 {
            let id = ChordID(using: &random)
            let power = ChordID.power(ofTwo: exponent)
            #expect(power.highestBit == exponent)
            #expect((id &+ power) &- power == id)
            #expect(exponent == 0 || ChordID.power(ofTwo: exponent - 1) &+ .power(ofTwo: exponent - 1) == power)
        }
        #expect(ChordID.power(ofTwo: 159) &+ .power(ofTwo: 159) == ChordID(0))
        #expect(ChordID.power(ofTwo: 159).fraction == 0.5)
    }

    @Test("intervals include what their ends say, around zero too", arguments: [0, 10, -3])
    func intervals(shift: Int) {
        // The same questions on numbers, after turning the circle.
        func id(_ number: Int) -> ChordID {
            let turned = number + shift
            return turned < 0 ? ChordID(0) &- ChordID(UInt64(-turned)) : ChordID(UInt64(turned))
        }
        for (a, b) in [(2, 5), (5, 2), (3, 3)] {
            for x in 0..<8 {
                let inner = a < b ? a < x && x < b : a == b ? x != a : x > a || x < b
                #expect(id(x).isBetween(id(a), id(b)) == inner)
                #expect(id(x).isBehind(id(a), upTo: id(b)) == (inner || x == b))
                #expect(id(x).isFrom(id(a), before: id(b)) == (inner || x == a))
                #expect(id(x).isFrom(id(a), through: id(b)) == (inner || x == a || x == b))
            }
        }
    }

    @Test("slots of a key are its bits in groups of six, the last of four")
    func slots() throws {
        let key = try #require(ChordID("fc0800000000000000000000000000000000000f"))
        #expect(key.merkleSlot(0) == 63)
        #expect(key.merkleSlot(1) == 0)
        #expect(key.merkleSlot(2) == 32)
        #expect(key.merkleSlot(26) == 15)
        var random = seeded(3)
        for _ in 0..<50 {
            let key = ChordID(using: &random)
            var prefix = ChordID(0)
            for level in 0..<ChordID.merkleLevels {
                #expect(key.merklePrefix(level) == prefix)
                #expect(prefix <= key && key <= prefix.merkleEnd(level))
                prefix = prefix.merkleChild(key.merkleSlot(level), below: level)
            }
            #expect(prefix == key)
            #expect(key.merklePrefix(27) == key)
        }
    }
}
