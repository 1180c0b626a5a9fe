public import CFSModel
import CFSProtocol
public import CFSProtocol1
public import ONCRPC

extension DHash2 {
    /// The arguments of ``offer``, `dhash_offer_arg`.
    public struct Offer: XDRCodable, Hashable {
        /// The keys.
        public var keys: [ChordID]

        /// An offer.
        public init(_ keys: [ChordID]) { self.keys = keys }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            keys = try reader.readArray(max: NodeLimits.offeredKeysMax)
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeArray(keys, max: NodeLimits.offeredKeysMax)
        }
    }

    /// The answer to ``offer``, `dhash_offer_res`.
    public enum OfferResult: XDRCodable, Hashable {
        /// One for each key.
        case answers([DHash1.OfferStatus])
        /// None; never OK.
        case failed(Status)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let status: Status = try reader.read()
            self = status == .ok ? .answers(try reader.readArray(max: NodeLimits.offeredKeysMax)) : .failed(status)
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .answers(let answers):
                try writer.write(Status.ok)
                try writer.writeArray(answers, max: NodeLimits.offeredKeysMax)
            case .failed(let status):
                guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: writer.offset) }
                try writer.write(status)
            }
        }
    }
}
