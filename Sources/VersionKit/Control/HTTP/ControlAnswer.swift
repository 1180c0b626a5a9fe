package import FoundationEssentials

/// A ``ControlResponse`` as HTTP carries it.
package struct ControlAnswer: Sendable, Hashable {
    /// HTTP's number: 200, or 4xx and 5xx with a body `{"error": WHY}`.
    package var status: Int
    /// What the body is.
    package var contentType: String
    /// JSON, or the text of metrics.
    package var body: Data

    /// What JSON is called.
    package static let json = "application/json"
    /// What the text format of Prometheus is called.
    package static let metrics = "text/plain; version=0.0.4; charset=utf-8"

    private struct Done: Codable { var done: String }
    private struct Restarting: Codable { var restarting: UInt64 }
    private struct Failure: Codable { var error: String }

    /// An answer as it came.
    package init(status: Int, contentType: String = json, body: Data) {
        (self.status, self.contentType, self.body) = (status, contentType, body)
    }

    /// The answer to a request that was not even tried.
    package init(_ fault: ControlFault) throws {
        try self.init(fault.status, Failure(error: fault.reason))
    }

    /// An answer that is to be sent. A request that was refused has 409: it was understood, and cannot be done as things are.
    package init(_ response: ControlResponse) throws {
        switch response {
        case .done(let text): try self.init(200, Done(done: text))
        case .status(let status): try self.init(200, status)
        case .history(let history): try self.init(200, history)
        case .restarting(let number): try self.init(200, Restarting(restarting: number))
        case .traffic(let rows): try self.init(200, rows)
        case .isolation(let kinds): try self.init(200, kinds)
        case .snapshots(let list): try self.init(200, list)
        case .ports(let list): try self.init(200, list)
        case .flow(let flow): try self.init(200, flow)
        case .metrics(let text): self.init(status: 200, contentType: Self.metrics, body: Data(text.utf8))
        case .refused(let reason): try self.init(409, Failure(error: reason))
        }
    }

    private init(_ status: Int, _ body: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(status: status, body: try encoder.encode(body))
    }

    /// What was answered to a request.
    ///
    /// - Throws: an error of decoding if the body is not what the request asks for.
    package func response(to request: ControlRequest) throws -> ControlResponse {
        guard status == 200 else {
            return .refused((try? JSONDecoder().decode(Failure.self, from: body))?.error ?? "HTTP \(status)")
        }
        switch request {
        case .status: return .status(try read())
        case .history: return .history(try read())
        case .traffic: return .traffic(try read())
        case .isolation: return .isolation(try read())
        case .snapshots: return .snapshots(try read())
        case .ports: return .ports(try read())
        case .explain: return .flow(try read())
        case .metrics: return .metrics(String(decoding: body, as: UTF8.self))
        case .restart: return .restarting(number: try read(Restarting.self).restarting)
        case .publish, .publishRoot, .publishChannel, .rollback, .retire, .judge, .restore, .snapshot, .removeSnapshot,
            .forgetPeer, .register, .renew, .unregister:
            return .done(try read(Done.self).done)
        }
    }

    private func read<Body: Decodable>(_ type: Body.Type = Body.self) throws -> Body {
        try JSONDecoder().decode(type, from: body)
    }
}
