import FoundationEssentials

/// The little of HTTP/1.1 that ``ControlClient`` needs: one request on a connection, and its answer with a length.
///
/// Pure: bytes in, bytes out.
enum HTTPClientMessage {
    /// The longest head of an answer, in bytes.
    static let headBytesMax = 16 << 10

    /// The bytes of a request, after whose answer the connection ends.
    static func bytes(of call: ControlCall, host: String, token: String?) -> [UInt8] {
        var head = "\(call.method) \(call.target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if !call.body.isEmpty { head += "Content-Type: application/json\r\n" }
        head += "Content-Length: \(call.body.count)\r\n\r\n"
        return Array(head.utf8) + call.body
    }

    /// The answer in these bytes, or `nil` if more are needed.
    ///
    /// - Throws: ``ControlError`` if they are none.
    static func answer(in bytes: [UInt8]) throws(ControlError) -> ControlAnswer? {
        let end = Array("\r\n\r\n".utf8)
        guard let headEnd = bytes.firstRange(of: end) else {
            guard bytes.count <= headBytesMax else { throw ControlError("an answer has no end of its head") }
            return nil
        }
        let lines = String(decoding: bytes[..<headEnd.lowerBound], as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw ControlError("what answers does not speak HTTP: '\(lines[0].prefix(80))'; is it a versiond?")
        }
        let length = lines.dropFirst().lazy.compactMap { line -> Int? in
            let sides = line.split(separator: ":", maxSplits: 1)
            guard sides.count == 2, sides[0].lowercased() == "content-length" else { return nil }
            return Int(sides[1].filter { $0 != " " })
        }.first
        guard let length, length >= 0, length <= ControlLimits.bodyBytesMax else {
            throw ControlError("an answer says no length, or is longer than \(ControlLimits.bodyBytesMax) bytes")
        }
        let body = bytes[headEnd.upperBound...]
        guard body.count >= length else { return nil }
        return ControlAnswer(status: status, body: Data(body.prefix(length)))
    }
}
