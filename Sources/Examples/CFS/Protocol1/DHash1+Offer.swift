public import CFSModel
import CFSProtocol
public import ONCRPC

extension DHash1 {
    /// The arguments of ``offer``, `dhash_offer_arg`.
    public struct Offer: XDRCodable, Hashable {
        /// The keys.
        public var keys: [ChordID]

        /// An offer.
        public init(_ keys: [ChordID]) { self.keys = keys }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            keys = try reader.readArray(max: NodeLimits1.offeredKeysMax)
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeArray(keys, max: NodeLimits1.offeredKeysMax)
        }
    }

    /// What a node says to one key, `dhash_offer_status`.
    public enum OfferStatus: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// It has a fragment.
        case present = 1
        /// It wants it.
        case accept = 2
        /// It is not one of those that keep the block.
        case reject = 3
    }

    /// The answer to ``offer``, `dhash_offer_res`.
    public enum OfferResult: XDRCodable, Hashable {
        /// One for each key.
        case answers([OfferStatus])
        /// None; never OK.
        case failed(Status)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let status: Status = try reader.read()
            self = status == .ok ? .answers(try reader.readArray(max: NodeLimits1.offeredKeysMax)) : .failed(status)
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .answers(let answers):
                try writer.write(Status.ok)
                try writer.writeArray(answers, max: NodeLimits1.offeredKeysMax)
            case .failed(let status):
                guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: writer.offset) }
                try writer.write(status)
            }
        }
    }
}
