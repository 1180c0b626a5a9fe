internal import FoundationEssentials
public import VersionKitModel

/// JSON in and out, with one spelling out and with errors for people in.
package enum JSON {
    /// Compact, keys sorted: the same value always gives the same bytes.
    package static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            // Only values with numbers that are not finite cannot be written, and validation refuses those before.
            preconditionFailure("cannot be written as JSON: \(error)")
        }
    }

    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], what file: String
    ) throws(ReleaseError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ReleaseError(.malformed, "\(file): \(explanation(of: error))", side: .publisher)
        } catch {
            throw ReleaseError(.malformed, "\(file): \(error)", side: .publisher)
        }
    }

    /// What the decoder found wrong, in one line.
    private static func explanation(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "\(path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context):
            "\(path(context.codingPath)) is null"
        case .typeMismatch(let type, let context):
            "\(path(context.codingPath)) is not of the right type (\(type))"
        case .dataCorrupted(let context):
            "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            "\(error)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        guard !keys.isEmpty else { return "the whole file" }
        return keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}

extension ReleaseManifest {
    /// The manifest as its publisher writes it: compact JSON with sorted keys. The same release, the same bytes.
    ///
    /// - Precondition: ``ReleaseManifest/validate()`` succeeds.
    public func canonicalBytes() -> [UInt8] { JSON.encode(self) }

    /// Reads and validates a manifest.
    ///
    /// - Important: Says nothing about who wrote it. For bytes from outside, see ``TrustPolicy``.
    public init(jsonBytes: [UInt8], limits: ReleaseLimits = .standard) throws(ReleaseError) {
        guard jsonBytes.count <= limits.manifestBytesMax else {
            throw ReleaseError(
                .limitExceeded, "the manifest has \(jsonBytes.count) bytes, more than \(limits.manifestBytesMax)",
                side: .publisher, remedy: "make a smaller manifest")
        }
        let manifest = try JSON.decode(ReleaseManifest.self, from: jsonBytes, what: ReleaseFiles.manifest)
        do {
            try manifest.validate()
        } catch {
            throw ReleaseError(
                .malformed, "\(ReleaseFiles.manifest): \(error.field): \(error.problem)", side: .publisher,
                remedy: error.remedy)
        }
        self = manifest
    }
}
