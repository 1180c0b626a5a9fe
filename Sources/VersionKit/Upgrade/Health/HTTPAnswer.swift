/// As much of HTTP as a health check needs: the request, and the status of the answer.
public enum HTTPAnswer {
    /// What is read of an answer at most: its first line, in bytes.
    public static let bytesMax = 4096

    /// A request for this path. The connection ends with its answer.
    public static func request(_ path: String, host: String) -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: versiond\r\nConnection: close\r\n\r\n".utf8)
    }

    /// What the beginning of an answer says.
    public enum Reading: Sendable, Hashable {
        /// Its first line is not complete.
        case incomplete
        /// It is no answer of HTTP 1.
        case malformed
        /// The status.
        case status(Int)
    }

    /// Reads the first line, `HTTP/1.1 200 OK`.
    public static func read(_ bytes: some Collection<UInt8>) -> Reading {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            return bytes.count < bytesMax ? .incomplete : .malformed
        }
        let words = bytes[..<end].split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8),
            let status = Int(String(decoding: words[1].prefix { $0 > 0x20 }, as: UTF8.self)),
            (100...599).contains(status)
        else { return .malformed }
        return .status(status)
    }

    /// Whether this status is a success.
    ///
    /// - Parameter wanted: the one that has to come; `nil`: any from 200 to 399.
    public static func isSuccess(_ status: Int, wanted: Int?) -> Bool {
        wanted.map { $0 == status } ?? (200..<400).contains(status)
    }
}
