public import CFSModel
import CFSProtocol
public import ONCRPC

extension Control1 {
    /// What is known of a node, `lsdctl_nodeinfo`.
    public struct Node: XDRCodable, Hashable {
        /// Its place on the ring.
        public var id: ChordID
        /// Where it is: an IPv4 address as people write it, and a port.
        public var host: String
        /// The port.
        public var port: Int32
        /// Which of the process's virtual nodes.
        public var virtualNode: Int32
        /// Where it believes to be.
        public var coordinates: [Int32]
        /// The mean time of its answers, and how far they are from it in the mean, in microseconds.
        public var latency, deviation: UInt32
        /// How many answers that is about.
        public var answers: UInt32
        /// Whether it is never forgotten.
        public var isPinned: Bool
        /// Whether it answers, as far as is known.
        public var isAlive: Bool
        /// For how many seconds it has not.
        public var deadTime: Int32

        /// A node.
        public init(
            _ node: ChordNode, latency: UInt32 = 0, deviation: UInt32 = 0, answers: UInt32 = 0, isPinned: Bool = false,
            isAlive: Bool = true, deadTime: Int32 = 0
        ) {
            id = node.id
            let ipv4 = node.address.ipv4
            host = "\(ipv4 >> 24).\(ipv4 >> 16 & 255).\(ipv4 >> 8 & 255).\(ipv4 & 255)"
            port = Int32(node.address.port)
            virtualNode = Int32(node.address.virtualNode)
            coordinates = [node.coordinates.x, node.coordinates.y, node.coordinates.height]
            self.latency = latency
            self.deviation = deviation
            self.answers = answers
            self.isPinned = isPinned
            self.isAlive = isAlive
            self.deadTime = deadTime
        }

        /// Reads the node.
        public init(from reader: inout XDRReader) throws(XDRError) {
            id = try reader.read()
            host = try reader.readString(max: Limits.hostBytesMax)
            port = try reader.read()
            virtualNode = try reader.read()
            coordinates = try reader.readArray(max: Limits.coordinatesMax)
            latency = try reader.read()
            deviation = try reader.read()
            answers = try reader.read()
            isPinned = try reader.read()
            isAlive = try reader.read()
            deadTime = try reader.read()
        }

        /// Writes the node.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(id)
            try writer.writeString(host, max: Limits.hostBytesMax)
            try writer.write(port)
            try writer.write(virtualNode)
            try writer.writeArray(coordinates, max: Limits.coordinatesMax)
            for number in [latency, deviation, answers] { try writer.write(number) }
            try writer.write(isPinned)
            try writer.write(isAlive)
            try writer.write(deadTime)
        }
    }
}
