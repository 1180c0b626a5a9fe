public import CFSModel
public import CFSProtocol
public import ONCRPC

/// A virtual node on the wire of 2004, 24 bytes (`chord_node_wire`): its address, and where it believes to be.
///
/// The id is not sent: it follows from the address, so nobody can claim one.
public struct Node1: NodeForm {
    /// The node.
    public var node: ChordNode

    /// A node.
    public init(_ node: ChordNode) { self.node = node }

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
    }

    /// Writes the 24 bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        writer.writeInteger(node.address.ipv4)
        writer.writeInteger(UInt32(node.address.port) << 16 | UInt32(node.address.virtualNode))
        let place = node.coordinates
        for number in [place.x, place.y, place.height, place.error] { writer.writeInteger(number) }
    }

    /// Whether all is the same, the coordinates included.
    public static func == (left: Self, right: Self) -> Bool {
        left.node == right.node && left.node.coordinates == right.node.coordinates
    }
}
