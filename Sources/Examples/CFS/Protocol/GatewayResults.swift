public import CFSModel
public import ONCRPC

/// What a gateway says to an insertion (CFS 2004 and 2008, `dhash_insert_res`): a union of the generation's status.
public enum GatewayInsertResult<Status: GatewayStatus>: XDRCodable, Hashable {
    /// It is stored. The nodes on the way to it are for measurements.
    case stored(path: [ChordID])
    /// It is not stored, or nobody knows; never OK.
    case failed(Status)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let status: Status = try reader.read()
        self = status == .ok ? .stored(path: try reader.readArray(max: GatewayLimits.pathMax)) : .failed(status)
    }

    /// Writes the union.
    ///
    /// - Throws: `XDRError` if it failed with OK, or the way is too long.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .stored(let path):
            try writer.write(Status.ok)
            try writer.writeArray(path, max: GatewayLimits.pathMax)
        case .failed(let status): try writer.writeFailure(status)
        }
    }
}

/// What a gateway says to a retrieval (CFS 2004 and 2008, `dhash_retrieve_res`): a union of the generation's status.
public enum GatewayRetrieveResult<Status: GatewayStatus, Block: XDRCodable & Hashable>: XDRCodable, Hashable {
    /// The block. It proves itself; whoever gets it checks that.
    case found(Block)
    /// There is none, or nobody knows; never OK.
    case failed(Status)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let status: Status = try reader.read()
        self = status == .ok ? .found(try reader.read()) : .failed(status)
    }

    /// Writes the union.
    ///
    /// - Throws: `XDRError` if it failed with OK, or the block has something too long.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .found(let block):
            try writer.write(Status.ok)
            try writer.write(block)
        case .failed(let status): try writer.writeFailure(status)
        }
    }
}

/// A generation's `dhash_stat`.
public protocol GatewayStatus: XDREnumeration, Hashable {
    /// Done.
    static var ok: Self { get }
}

extension XDRWriter {
    fileprivate mutating func writeFailure(_ status: some GatewayStatus) throws(XDRError) {
        guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: offset) }
        try write(status)
    }
}
