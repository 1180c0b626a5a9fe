public import CFSModel
public import CFSProtocol
public import ONCRPC

/// A virtual node on the wire of 2008, 36 bytes (`chord_node_wire`): its address, where it believes to be, and three numbers
/// that Accordion made use of. The error is in thousandths in generation 2.
public struct Node2: NodeForm {
    /// The node.
    public var node: ChordNode
    /// How long it is known to be up, how long ago that was heard, in seconds, and what it may spend on finding others: 0, since
    /// nobody here asks; kept as they came.
    public var knownUp, age, budget: Int32

    /// A node.
    public init(_ node: ChordNode) {
        self.node = node
        (knownUp, age, budget) = (0, 0, 0)
    }

    /// Reads a node.
    ///
    /// - Throws: `XDRError` if no node can have that address, or such a number among those of its process.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        let ipv4: UInt32 = try reader.read()
        let place: UInt32 = try reader.read()
        let address = NodeAddress(
            ipv4: ipv4, port: UInt16(place >> 16), virtualNode: UInt16(truncatingIfNeeded: place))
        guard let address else { throw XDRError(.invalid("an address that no node has"), at: offset) }
        let coordinates = Coordinates(
            x: try reader.read(), y: try reader.read(), height: try reader.read(), error: try reader.read())
        node = ChordNode(address, coordinates: coordinates)
        knownUp = try reader.read()
        age = try reader.read()
        budget = try reader.read()
    }

    /// Writes the 36 bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        writer.writeInteger(node.address.ipv4)
        writer.writeInteger(UInt32(node.address.port) << 16 | UInt32(node.address.virtualNode))
        let place = node.coordinates
        for number in [place.x, place.y, place.height, place.error, knownUp, age, budget] {
            writer.writeInteger(number)
        }
    }

    /// Whether all is the same, the coordinates included.
    public static func == (left: Self, right: Self) -> Bool {
        left.node == right.node && left.node.coordinates == right.node.coordinates
            && (left.knownUp, left.age, left.budget) == (right.knownUp, right.age, right.budget)
    }
}
