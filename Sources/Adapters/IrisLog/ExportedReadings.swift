import VersionKit

/// The readings in a database that a version of IrisLog exported, as the updates that make them again.
///
/// Reads what IrisLog writes: elements of the hierarchy with an `id` each, and `reading` elements below `node`, with five
/// entities and references to characters. What else there is it passes over.
struct ExportedReadings {
    /// The updates, in the order of the export.
    private(set) var updates: [IrisLogRequest] = []

    /// Reads an export; an element that is no reading gives no update.
    init(_ xml: String) {
        var path = ""
        var above: [String] = []
        for piece in xml.split(separator: "<") {
            let end = piece.firstIndex(of: ">") ?? piece.endIndex
            let tag = piece[..<end]
            let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
            if tag.hasPrefix("/") {
                guard ["country", "region", "site", "node"].contains(tag.dropFirst()) else { continue }
                path = above.popLast() ?? ""
            } else if name == "reading" {
                guard let sensor = Self.attribute("sensor", of: tag), end < piece.endIndex,
                    let sequence = Self.attribute("sequence", of: tag).flatMap({ UInt64($0) }),
                    let time = Self.attribute("at", of: tag).flatMap({ UInt64($0) })
                else { continue }
                let value = tag.hasSuffix("/") ? "" : Self.plain(piece[piece.index(after: end)...])
                updates.append(
                    IrisLogRequest(
                        kind: .update(path: path, sensor: sensor, sequence: sequence, at: time, value: value)))
            } else if let id = Self.attribute("id", of: tag), !tag.hasSuffix("/") {
                above.append(path)
                path += "/\(name)[@id='\(id)']"
            }
        }
    }

    /// The updates that make what another export has not. Whatever its value, the first reading by a name stays.
    func updates(missingIn other: ExportedReadings) -> [IrisLogRequest] {
        let present = Set(other.updates.map(Self.name))
        return updates.filter { !present.contains(Self.name($0)) }
    }

    private static func name(_ update: IrisLogRequest) -> String {
        guard case .update(let path, let sensor, let sequence, _, _) = update.kind else { return "" }
        return "\(path) \(sensor) \(sequence)"
    }

    private static func attribute(_ name: String, of tag: Substring) -> String? {
        guard let start = tag.firstRange(of: " \(name)=\"") else { return nil }
        return plain(tag[start.upperBound...].prefix { $0 != "\"" })
    }

    /// A text without entities.
    private static func plain(_ text: Substring) -> String {
        guard text.contains("&") else { return String(text) }
        var plain = ""
        var rest = text
        while let start = rest.firstIndex(of: "&"), let end = rest[start...].firstIndex(of: ";") {
            plain += rest[..<start]
            plain += character(rest[rest.index(after: start)..<end])
            rest = rest[rest.index(after: end)...]
        }
        return plain + rest
    }

    private static func character(_ entity: Substring) -> String {
        switch entity {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHexadecimal = entity.hasPrefix("#x")
            let number = UInt32(entity.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10)
            return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? "&\(entity);"
        }
    }
}
