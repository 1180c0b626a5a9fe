import CLibXML2

/// Reads the records out of an exported database, a snapshot or another server's export.
enum DatabaseReader {
    /// Calls `body` for each reading and current value; what is not one is skipped.
    static func records(
        below country: XMLTree.Node, _ body: (IDPath, LogRecord.Kind, Reading) throws(IrisLogError) -> Void
    ) throws(IrisLogError) {
        try visit(country, above: [], body)
    }

    private static func visit(
        _ element: XMLTree.Node, above: [String],
        _ body: (IDPath, LogRecord.Kind, Reading) throws(IrisLogError) -> Void
    ) throws(IrisLogError) {
        guard XMLElement.name(element) == Level.allCases[above.count].name,
            let id = XMLElement.attribute("id", of: element), let path = IDPath(above + [id])
        else { return }
        var next = element.pointee.children
        while let child = next {
            next = child.pointee.next
            if path.ids.count < Level.allCases.count {
                try visit(child, above: path.ids, body)
            } else if let (kind, reading) = reading(child) {
                try body(path, kind, reading)
            }
        }
    }

    private static func reading(_ element: XMLTree.Node) -> (LogRecord.Kind, Reading)? {
        let kind: LogRecord.Kind
        switch XMLElement.name(element) {
        case "reading": kind = .reading
        case "current": kind = .current
        default: return nil
        }
        guard let sensor = XMLElement.attribute("sensor", of: element),
            let sequence = XMLElement.attribute("sequence", of: element).flatMap(UInt64.init),
            let at = XMLElement.attribute("at", of: element).flatMap(UInt64.init),
            let reading = try? Reading(
                sensor: sensor, sequence: sequence, at: at, value: XMLElement.content(element))
        else { return nil }
        return (kind, reading)
    }
}
