public import CFSModel
public import NIOCore
public import ONCRPC

/// How wrapped calls end, `rpcstat`.
public enum TransportStatus: UInt32, XDREnumeration, Hashable, CaseIterable {
    /// It was carried out.
    case ok = 0
    /// Its arguments are none of that procedure.
    case badArguments = 1
    /// The process has no such virtual node.
    case unknownNode = 2
    /// The node has no such procedure.
    case noHandler = 3
}

/// A wrapped call, `dorpc_arg`.
public struct TransportQuestion<Node: NodeForm>: XDRCodable, Hashable {
    /// Who is asked.
    public var destination: Node
    /// Who asks.
    public var source: Node
    /// When it was sent, by the sender's clock, in microseconds: comes back with the answer.
    public var sendTime: UInt64
    /// The program's number.
    public var program: UInt32
    /// The procedure's number.
    public var procedure: UInt32
    /// The arguments, as XDR.
    public var arguments: ByteBuffer

    /// A wrapped call.
    public init(
        destination: ChordNode, source: ChordNode, sendTime: UInt64, program: UInt32, procedure: UInt32,
        arguments: ByteBuffer
    ) {
        self.destination = Node(destination)
        self.source = Node(source)
        self.sendTime = sendTime
        self.program = program
        self.procedure = procedure
        self.arguments = arguments
    }

    /// Reads the call.
    public init(from reader: inout XDRReader) throws(XDRError) {
        destination = try reader.read()
        source = try reader.read()
        sendTime = try reader.read()
        program = try reader.read()
        procedure = try reader.read()
        arguments = try reader.readOpaque(max: NodeLimits.messageBytesMax)
    }

    /// Writes the call.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(destination)
        try writer.write(source)
        try writer.write(sendTime)
        try writer.write(program)
        try writer.write(procedure)
        try writer.writeOpaque(arguments, max: NodeLimits.messageBytesMax)
    }
}

/// A wrapped reply, `dorpc_res`.
public enum TransportAnswer<Node: NodeForm>: XDRCodable, Hashable {
    /// What the node answers, who it is, and the sender's time.
    case done(source: Node, sendTime: UInt64, results: ByteBuffer)
    /// It was not carried out; never OK.
    case failed(TransportStatus)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let status: TransportStatus = try reader.read()
        guard status == .ok else {
            self = .failed(status)
            return
        }
        self = .done(
            source: try reader.read(), sendTime: try reader.read(),
            results: try reader.readOpaque(max: NodeLimits.messageBytesMax))
    }

    /// Writes the union.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .done(let source, let sendTime, let results):
            try writer.write(TransportStatus.ok)
            try writer.write(source)
            try writer.write(sendTime)
            try writer.writeOpaque(results, max: NodeLimits.messageBytesMax)
        case .failed(let status):
            guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: writer.offset) }
            try writer.write(status)
        }
    }
}
