/// What can be asked of a node by HTTP. `docs/openapi.json` describes each; a test compares the two.
public enum ControlRoute: String, CaseIterable, Sendable {
    case status = "GET /v1/status"
    case history = "GET /v1/history"
    case traffic = "GET /v1/traffic"
    case isolation = "GET /v1/isolation"
    case snapshots = "GET /v1/snapshots"
    case takeSnapshot = "POST /v1/snapshots"
    case removeSnapshot = "DELETE /v1/snapshots/{snapshot}"
    case publish = "POST /v1/releases"
    case publishRoot = "POST /v1/trust/root"
    case publishChannel = "POST /v1/trust/channel"
    case rollback = "POST /v1/rollback"
    case retire = "POST /v1/retire"
    case judge = "POST /v1/judgement"
    case restore = "POST /v1/restore"
    case restart = "POST /v1/restart"
    case explainFlow = "POST /v1/flows/explain"
    case forgetPeer = "POST /v1/peers/forget"
    case ports = "GET /v1/ports"
    case register = "POST /v1/ports/register"
    case renew = "POST /v1/ports/renew"
    case unregister = "POST /v1/ports/unregister"
    case metrics = "GET /metrics"

    /// The method of HTTP.
    public var method: String { String(rawValue.prefix { $0 != " " }) }
    /// The path, with the name of what stands for one part of it in braces.
    public var path: String { String(rawValue.drop { $0 != " " }.dropFirst()) }

    /// What is in the place of the name in braces, if the path fits; empty if there is no such name.
    private func parameter(in path: Substring) -> String? {
        guard let brace = self.path.firstIndex(of: "{") else { return path == self.path ? "" : nil }
        let prefix = self.path[..<brace]
        guard path.hasPrefix(prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        return rest.isEmpty || rest.contains("/") ? nil : HTTPText.unescaped(rest)
    }

    /// The path of a request.
    func path(for parameter: String) -> String {
        guard let brace = path.firstIndex(of: "{") else { return path }
        return path[..<brace] + HTTPText.escaped(parameter)
    }

    /// The route of a request.
    ///
    /// - Throws: ``ControlFault`` if there is none: 404, or 405 if only the method is wrong.
    static func find(_ method: String, _ path: Substring) throws(ControlFault) -> (route: Self, parameter: String) {
        var isPath = false
        for route in allCases {
            guard let parameter = route.parameter(in: path) else { continue }
            if route.method == method { return (route, parameter) }
            isPath = true
        }
        throw isPath
            ? ControlFault(405, "\(path) cannot be asked with \(method)")
            : ControlFault(404, "there is no \(path) here; docs/openapi.json lists what there is")
    }
}

/// Why a request was not even tried, with HTTP's number for it.
package struct ControlFault: Error, Sendable, Hashable {
    /// 400 to 599.
    package let status: Int
    /// What is wrong with it.
    package let reason: String

    /// A fault.
    package init(_ status: Int, _ reason: String) { (self.status, self.reason) = (status, reason) }
}

/// Text in the paths of HTTP.
enum HTTPText {
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// The text with `%` and two digits for all that means something in a path.
    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            if isPlain(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }

    /// What was escaped; `nil` if it was not done right.
    static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(Substring(rest.prefix(2)), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
