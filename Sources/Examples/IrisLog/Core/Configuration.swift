/// The file `irislog.conf`: one setting a line, `#` starts a comment.
public struct Configuration: Equatable, Sendable {
    /// The address under which the hierarchy knows this server.
    public let me: String
    /// Where snapshot and log are kept.
    public let dataDirectory: String
    /// The port for clients; 0 takes any free one.
    public let clientPort: Int
    /// The port for other servers; 0 takes any free one.
    public let peerPort: Int
    /// The address to listen on.
    public let listen: String

    /// Reads the file's text.
    public init(text: String) throws(IrisLogError) {
        var values: [String: String] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let key = words.first else { continue }
            guard words.count == 2, Self.keys.contains(String(key)) else {
                throw IrisLogError(.syntax, "line \(number + 1): expected a setting and its value")
            }
            guard values.updateValue(String(words[1]), forKey: String(key)) == nil else {
                throw IrisLogError(.syntax, "line \(number + 1): \(key) is set twice")
            }
        }
        guard let me = values["self"], HostAddress(me) != nil else {
            throw IrisLogError(.syntax, "self is missing or not an address")
        }
        guard let data = values["data"] else { throw IrisLogError(.syntax, "data is missing") }
        self.me = me
        dataDirectory = data
        clientPort = try Self.port("client-port", in: values)
        peerPort = try Self.port("peer-port", in: values)
        listen = values["listen"] ?? "0.0.0.0"
    }

    private static let keys: Set<String> = ["self", "data", "client-port", "peer-port", "listen"]

    private static func port(_ key: String, in values: [String: String]) throws(IrisLogError) -> Int {
        guard let text = values[key], let port = Int(text), (0...65535).contains(port) else {
            throw IrisLogError(.syntax, "\(key) is missing or not a port")
        }
        return port
    }
}
