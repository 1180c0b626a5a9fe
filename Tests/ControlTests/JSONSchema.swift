import Foundation

/// As much of JSON Schema as docs/openapi.json uses; an unknown keyword is a complaint.
struct JSONSchema {
    let definitions: [String: Any]

    private static let prefix = "#/components/schemas/"
    private static let known: Set<String> = [
        "$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "oneOf", "minimum",
        "maximum",
        "pattern", "description",
    ]

    /// What is wrong with a value; nothing if it fits.
    func complaints(_ value: Any, _ schema: Any, at path: String = "$") -> [String] {
        guard let schema = schema as? [String: Any] else { return ["\(path): a schema is no object"] }
        if let name = schema["$ref"] as? String {
            guard name.hasPrefix(Self.prefix), let target = definitions[String(name.dropFirst(Self.prefix.count))]
            else {
                return ["\(path): \(name) is not there"]
            }
            return complaints(value, target, at: path)
        }
        var found = schema.keys.filter { !Self.known.contains($0) }.map { "\(path): unknown keyword \($0)" }
        if let choices = schema["oneOf"] as? [Any] {
            let count = choices.count { complaints(value, $0, at: path).isEmpty }
            if count != 1 { found.append("\(path): fits \(count) of \(choices.count)") }
        }
        if let values = schema["enum"] as? [AnyHashable] {
            if !values.contains(where: { $0 == value as? AnyHashable }) {
                found.append("\(path): \(value) is none of them")
            }
        }
        switch schema["type"] as? String {
        case "object": found += object(value, schema, path)
        case "array":
            guard let list = value as? [Any] else { return found + ["\(path): no array"] }
            for (index, item) in list.enumerated() {
                found += complaints(item, schema["items"] ?? false, at: "\(path)[\(index)]")
            }
        case "string":
            guard let text = value as? String else { return found + ["\(path): no string"] }
            if let pattern = schema["pattern"] as? String, text.range(of: pattern, options: .regularExpression) == nil {
                found.append("\(path): '\(text)' is not like \(pattern)")
            }
        case "integer":
            guard let number = value as? Int else { return found + ["\(path): no integer"] }
            if number < schema["minimum"] as? Int ?? .min || number > schema["maximum"] as? Int ?? .max {
                found.append("\(path): \(number) is out of bounds")
            }
        case "boolean": if !(value is Bool) { found.append("\(path): no boolean") }
        case nil: break
        case let other?: found.append("\(path): unknown type \(other)")
        }
        return found
    }

    private func object(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
        guard let object = value as? [String: Any] else { return ["\(path): no object"] }
        let properties = schema["properties"] as? [String: Any] ?? [:]
        var found = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }.map { "\(path): no \($0)" }
        for (name, value) in object {
            if let property = properties[name] {
                found += complaints(value, property, at: "\(path).\(name)")
            } else if let other = schema["additionalProperties"] as? [String: Any] {
                found += complaints(value, other, at: "\(path).\(name)")
            } else {
                found.append("\(path).\(name) is not described")
            }
        }
        return found
    }
}
