import Foundation
import Testing
import VersionKitControl
import VersionKitModel

/// docs/openapi.json says what the code does.
///
/// Method: each example in it is a message that has every field which the code knows. It is decoded, encoded again, and has
/// to be the same; and it has to fit its schema, in which nothing else is allowed. So neither can have what the other lacks.
@Suite("docs/openapi.json")
struct OpenAPITests {
    private typealias Object = [String: Any]
    private let paths: [String: Object]
    private let schema: JSONSchema

    init() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "docs/openapi.json"))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? Object)
        #expect(document["openapi"] as? String == "3.1.0")
        paths = try #require(document["paths"] as? [String: Object])
        schema = JSONSchema(definitions: try #require((document["components"] as? Object)?["schemas"] as? Object))
    }

    private func operation(_ route: ControlRoute) throws -> Object {
        try #require(paths[route.path]?[route.method.lowercased()] as? Object, "\(route.rawValue)")
    }

    /// A schema and an example.
    private func content(of place: Any?, _ type: String = "application/json") throws -> (schema: Any, example: Any) {
        let content = try #require(((place as? Object)?["content"] as? Object)?[type] as? Object)
        return (try #require(content["schema"]), try #require(content["example"]))
    }

    /// The example of a request, with all that may be asked.
    private func call(_ route: ControlRoute) throws -> ControlCall {
        let operation = try operation(route)
        var (path, query) = (route.path, [String]())
        for parameter in operation["parameters"] as? [Object] ?? [] {
            let name = try #require(parameter["name"] as? String)
            let example = try #require(parameter["example"])
            #expect(schema.complaints(example, try #require(parameter["schema"])) == [])
            if parameter["in"] as? String == "path" {
                path = path.replacingOccurrences(of: "{\(name)}", with: "\(example)")
            } else {
                query.append("\(name)=\(example)")
            }
        }
        var body = Data()
        if let place = operation["requestBody"] {
            let (shape, example) = try content(of: place)
            #expect(schema.complaints(example, shape) == [])
            body = try JSONSerialization.data(withJSONObject: example)
        }
        let target = path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        return ControlCall(method: route.method, target: target, body: body)
    }

    private func object(_ data: Data) throws -> NSObject {
        try #require(try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) as? NSObject)
    }

    /// The fields that are not set, by their places.
    private func unset(_ value: Any, at path: String = "$") -> [String] {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            guard let inner = mirror.children.first?.value else { return [path] }
            return unset(inner, at: path)
        }
        // What a value is made of that is one text in JSON does not matter.
        guard !(value is any LosslessStringConvertible), !(value is HostAddresses), !(value is TransportPort) else {
            return []
        }
        return mirror.children.enumerated().flatMap { index, child in
            unset(child.value, at: "\(path).\(child.label ?? "\(index)")")
        }
    }

    @Test("it has the routes that there are, and no others")
    func routes() {
        let described = paths.flatMap { path, operations in operations.keys.map { "\($0.uppercased()) \(path)" } }
        #expect(Set(described) == Set(ControlRoute.allCases.map(\.rawValue)))
    }

    @Test("each example of a request is one, with every field that there is", arguments: ControlRoute.allCases)
    func requests(_ route: ControlRoute) throws {
        let call = try call(route)
        let request = try call.request()
        #expect(unset(request) == [])
        let again = try ControlCall(request)
        #expect(again.method == call.method)
        #expect(again.target.replacingOccurrences(of: "%2D", with: "-") == call.target)
        if !call.body.isEmpty { #expect(try object(again.body) == object(call.body)) }
    }

    @Test("each example of an answer is one, with every field that there is", arguments: ControlRoute.allCases)
    func answers(_ route: ControlRoute) throws {
        let request = try call(route).request()
        let place = (try operation(route)["responses"] as? Object)?["200"]
        if route == .metrics {
            let (_, example) = try content(of: place, "text/plain")
            #expect(try MetricsReader.read(try #require(example as? String)).count == 1)
            return
        }
        let (shape, example) = try content(of: place)
        #expect(schema.complaints(example, shape) == [])
        let body = try JSONSerialization.data(withJSONObject: example)
        let response = try ControlAnswer(status: 200, body: body).response(to: request)
        #expect(unset(response) == [])
        #expect(try object(ControlAnswer(response).body) == object(body))
    }

    @Test("a refusal is an answer with a reason", arguments: ControlRoute.allCases.filter { $0 != .metrics })
    func refusals(_ route: ControlRoute) throws {
        let (shape, example) = try content(of: (try operation(route)["responses"] as? Object)?["default"])
        #expect(schema.complaints(example, shape) == [])
        let body = try JSONSerialization.data(withJSONObject: example)
        let response = try ControlAnswer(status: 409, body: body).response(to: try call(route).request())
        guard case .refused = response else {
            Issue.record("\(response)")
            return
        }
        #expect(try object(ControlAnswer(response).body) == object(body))
        #expect(try ControlAnswer(response).status == 409)
    }

    @Test("what is not there to be asked is told apart from what cannot be asked so")
    func faults() {
        #expect(throws: ControlFault.self) { try ControlCall(method: "GET", target: "/", body: Data()).request() }
        let faults: [(String, String, Int)] = [
            ("GET", "/v1/nothing", 404), ("PUT", "/v1/status", 405), ("GET", "/v1/ports?name=%", 400),
            ("GET", "/v1/ports?transport=sctp", 400), ("GET", "/v1/history?limit", 400), ("POST", "/v1/rollback", 400),
            ("DELETE", "/v1/snapshots/", 404), ("DELETE", "/v1/snapshots/a/b", 404),
        ]
        for (method, target, status) in faults {
            do throws(ControlFault) {
                _ = try ControlCall(method: method, target: target, body: Data()).request()
                Issue.record("\(method) \(target) was understood")
            } catch {
                #expect(error.status == status, "\(method) \(target)")
            }
        }
    }

    @Test("names in paths may have any letter")
    func escapes() throws {
        for name in ["a b/c?d=e&f%", "ä\"", "irislog-1"] {
            let request = ControlRequest.removeSnapshot(name)
            #expect(try ControlCall(request).request() == request)
        }
    }
}
