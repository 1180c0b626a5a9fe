import VersionKit

/// A client's request to IrisLog, whichever protocol it came in.
public struct IrisLogRequest: Sendable, Hashable {
    /// What is asked.
    public enum Kind: Sendable, Hashable {
        case query(String)
        case update(path: String, sensor: String, sequence: UInt64, at: UInt64, value: String)
        case export
        case merge(String)
        case ping
        /// Not of the protocol; the proxy answers it itself.
        case invalid(String)
    }

    /// What is asked.
    public var kind: Kind
    /// Protocol 2's number of the request; 0 in protocol 1, which answers in order.
    public var id: UInt32 = 0
}

/// IrisLog's reply, whichever protocol it came in.
public enum IrisLogReply: Sendable, Hashable {
    case answer([String])
    case done
    case database(String)
    case merged(UInt32)
    case pong
    case error(code: ErrorCode, message: String)

    /// Protocol 2's numbers and protocol 1's words for what went wrong.
    public enum ErrorCode: UInt16, Sendable, Hashable, CaseIterable {
        case syntax = 1
        case query = 2
        case notOwner = 3
        case limit = 4
        case `internal` = 5

        /// Protocol 1's word.
        public var word: String { self == .notOwner ? "not-owner" : "\(self)" }

        init?(word: Substring) {
            guard let code = Self.allCases.first(where: { $0.word == word }) else { return nil }
            self = code
        }
    }
}
