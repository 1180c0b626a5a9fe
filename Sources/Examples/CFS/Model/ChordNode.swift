/// Where a virtual node is reached.
public struct NodeAddress: Hashable, Sendable {
    /// The IPv4 address as a number: 127.0.0.1 is 0x7F000001.
    public let ipv4: UInt32
    /// The port of the process, for datagrams and for streams.
    public let port: UInt16
    /// Which of the process's virtual nodes.
    public let virtualNode: UInt16

    /// An address; nil if no node can have it.
    ///
    /// No node has more than 1024 virtual ones (CFS 2004, `max_vnodes`), which bounds how many ids one can choose from; none
    /// has the port 0, or an address that is nobody's or everybody's.
    public init?(ipv4: UInt32, port: UInt16, virtualNode: UInt16) {
        guard virtualNode < CFSLimits.virtualNodes, port != 0, ipv4 != 0, ipv4 >> 28 != 0xE, ipv4 != .max else {
            return nil
        }
        self.ipv4 = ipv4
        self.port = port
        self.virtualNode = virtualNode
    }

    /// The text that the id is the hash of: `127.0.0.1.10000.0`.
    public var name: String {
        "\(ipv4 >> 24).\(ipv4 >> 16 & 255).\(ipv4 >> 8 & 255).\(ipv4 & 255).\(port).\(virtualNode)"
    }
}

/// Where a node believes to be, by round-trip times (Vivaldi), and how sure it is (CFS 2004, `coords` and `e`).
public struct Coordinates: Hashable, Sendable {
    /// Two coordinates and a height, in microseconds.
    public var x, y, height: Int32
    /// The expected relative error as the historic nodes put it on the wire: a fraction cut to a whole number, -1 if
    /// nothing was measured yet.
    public var error: Int32

    /// A place.
    public init(x: Int32 = 0, y: Int32 = 0, height: Int32 = 0, error: Int32 = -1) {
        self.x = x
        self.y = y
        self.height = height
        self.error = error
    }

    /// The expected round trip between two places, in microseconds.
    public func distance(to other: Self) -> Double {
        let (dx, dy) = (Double(x) - Double(other.x), Double(y) - Double(other.y))
        return (dx * dx + dy * dy).squareRoot() + Double(height) + Double(other.height)
    }
}

/// A virtual node of a ring: where it is, and the id that follows from that.
///
/// The id is never taken from others: it is the SHA-1 of the address (CFS 2004, `make_chordID`), so nobody can be at a place
/// of the ring that the address does not give.
public struct ChordNode: Hashable, Sendable {
    /// The place on the ring.
    public let id: ChordID
    /// Where it is reached.
    public let address: NodeAddress
    /// Where it believes to be.
    public var coordinates: Coordinates

    /// The node at an address.
    public init(_ address: NodeAddress, coordinates: Coordinates = Coordinates()) {
        id = ChordID(hashing: Array(address.name.utf8))
        self.address = address
        self.coordinates = coordinates
    }

    /// Whether both are the same node, wherever they believe to be.
    public static func == (left: Self, right: Self) -> Bool { left.id == right.id && left.address == right.address }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension ChordNode: CustomStringConvertible {
    public var description: String { "\(id.description.prefix(8))@\(address.name)" }
}
