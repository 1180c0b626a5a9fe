import Foundation
import Testing

@testable import VersionKitReleases

/// Goal: docs/release.schema.json says what `versionctl release make` does. Method: a description in which everything is
/// replaced by everything else, read by both.
@Suite("The schema of descriptions")
struct DescriptionSchemaTests {
    private static let good = #"""
        {
            "application": "irislog", "version": 2, "name": "2.0", "replaces": 1,
            "ports": { "peer": [6000, { "udp": 6000 }], "client": [6001] },
            "image": "app.tar", "debs": ["app.deb"], "files": "root",
            "start": ["/usr/bin/irislogd"], "user": "7", "environment": ["A=1"], "workingDirectory": "/srv",
            "health": {
                "kind": "http", "path": "/", "status": 200, "command": "/bin/true", "steady": { "failures": 1 },
                "port": 6001, "startupTimeoutMilliseconds": 1000, "intervalMilliseconds": 100
            },
            "spread": { "canaryPercent": 10, "observationMilliseconds": 100, "promotions": 1 },
            "method": "package", "needs": { "diskBytes": 1, "memoryBytes": 0 },
            "limits": { "memoryBytes": 1, "processors": 0.5, "tasks": 1, "diskBytes": 1 },
            "migration": { "recordsPerSecond": 1, "bytesPerSecond": 1 }, "expires": "2027-03-31T12:00:00Z",
            "proxy": "/usr/bin/irislog-proxy", "migrator": ["/usr/bin/irislog-migrate"],
            "retirement": { "messagesPerSecond": 1, "periodMilliseconds": 60000, "replay": true },
            "configurationPath": "/etc/irislog", "dataPath": "/var/lib/irislog", "isolation": ["oci"]
        }
        """#

    private static let others = #"""
        [0, 1, -1, 65535, 65536, 4294967295, 4294967296, 1.5, "x", "Upper", "", true, [], [1], [0], ["x"], ["x", 1], {},
        [[]], [{}], { "udp": 1 }, { "port": 1 }, [{ "udp": 1 }], [{ "udp": 0 }], [{ "udp": 1, "tcp": 1 }], [{ "tcp": 1 }],
        [{ "unix": "a", "port": 1 }], [{ "unix": "a" }], [{ "unix": 1, "port": 1 }], { "peer": [] }]
        """#

    private func value(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    private func members(_ value: JSONValue?) -> [String: JSONValue] {
        if case .object(let members) = value { members } else { [:] }
    }

    @Test("the schema and versionctl agree on every description with one mistake or none")
    func agreement() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../docs/release.schema.json")
        let schema = JSONSchema(root: try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: path)))
        guard case .array(let others) = try value(Self.others) else { return }
        let good = members(try value(Self.good))
        var descriptions = [good]
        for (key, value) in good {
            descriptions.append(good.filter { $0.key != key })
            for other in others { descriptions.append(good.merging([key: other]) { $1 }) }
            for (inner, _) in members(value) {
                let object = members(value)
                descriptions.append(good.merging([key: .object(object.filter { $0.key != inner })]) { $1 })
                for other in others {
                    descriptions.append(good.merging([key: .object(object.merging([inner: other]) { $1 })]) { $1 })
                }
            }
        }
        descriptions.append(good.merging(["unknown": .integer(1)]) { $1 })
        for keys in [
            ["image"], ["image", "debs"], ["image", "files"], ["image", "debs", "files"], ["image", "start"],
        ] {
            descriptions.append(good.filter { !keys.contains($0.key) })
        }
        var accepted = 0
        for description in descriptions {
            let bytes = Array(try JSONEncoder().encode(Encoded(.object(description))))
            let isRead = (try? ReleaseDescription(jsonBytes: bytes, file: "release.json", directory: "/")) != nil
            if isRead { accepted += 1 }
            #expect(schema.accepts(.object(description)) == isRead, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(accepted > 50 && accepted < descriptions.count / 2)
    }
}

/// As much of JSON Schema as the schema uses.
struct JSONSchema {
    let root: JSONValue

    func accepts(_ value: JSONValue) -> Bool { accepts(value, root) }

    private func accepts(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        guard case .object(let rules) = schema else { return false }
        return rules.allSatisfy { key, rule in
            switch (key, rule, value) {
            case ("$ref", .string(let path), _):
                let names = path.split(separator: "/").dropFirst().map(String.init)
                return accepts(value, names.reduce(root) { $0[$1] ?? .null })
            case ("type", .string(let type), _): return Self.isOf(type, value)
            case ("enum", .array(let values), _): return values.contains(value)
            case ("anyOf", .array(let schemas), _): return schemas.contains { accepts(value, $0) }
            case ("required", .array(let keys), .object(let members)):
                return keys.allSatisfy { if case .string(let key) = $0 { members[key] != nil } else { false } }
            case ("properties", .object(let schemas), .object(let members)):
                return members.allSatisfy { key, value in schemas[key].map { accepts(value, $0) } ?? true }
            case ("additionalProperties", .bool(false), .object(let members)):
                return members.keys.allSatisfy { schema["properties"]?[$0] != nil }
            case ("items", _, .array(let elements)): return elements.allSatisfy { accepts($0, rule) }
            case ("contains", _, .array(let elements)): return elements.contains { accepts($0, rule) }
            case ("maxItems", .integer(let most), .array(let elements)): return elements.count <= most
            case ("minimum", .integer(let least), .integer(let number)): return number >= least
            case ("maximum", .integer(let most), .integer(let number)): return number <= most
            case ("pattern", .string(let pattern), .string(let text)):
                return (try? Regex(pattern).firstMatch(in: text)) != nil
            case ("$schema", _, _), ("title", _, _), ("description", _, _), ("$defs", _, _): return true
            case ("required", _, _), ("properties", _, _), ("additionalProperties", _, _), ("items", _, _),
                ("contains", _, _), ("maxItems", _, _), ("minimum", _, _), ("maximum", _, _), ("pattern", _, _):
                return true
            default:
                Issue.record("the schema uses \(key), which this test does not know")
                return false
            }
        }
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("integer", .integer), ("number", .integer),
            ("number", .number), ("boolean", .bool):
            true
        default: false
        }
    }
}

extension JSONValue {
    fileprivate subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
}

/// A value to be written.
private struct Encoded: Encodable {
    let value: JSONValue
    init(_ value: JSONValue) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch value {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let number): try container.encode(number)
        case .number(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .array(let elements): try container.encode(elements.map(Encoded.init))
        case .object(let members): try container.encode(members.mapValues(Encoded.init))
        }
    }
}
