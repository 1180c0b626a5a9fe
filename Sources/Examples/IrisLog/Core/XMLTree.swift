import CLibXML2

/// A libxml2 document.
///
/// Not safe for concurrent use: whoever owns a tree serialises access to it (`Database` by its lock, everybody
/// else by not sharing it). That promise is what `@unchecked Sendable` stands for.
final class XMLTree: @unchecked Sendable {
    typealias Node = UnsafeMutablePointer<xmlNode>

    let document: UnsafeMutablePointer<xmlDoc>

    private static let ready: Void = xmlInitParser()

    /// Parses text from outside: no network, no entity expansion, no lifted limits, nothing printed.
    init(parsing bytes: [UInt8]) throws(IrisLogError) {
        Self.ready
        guard bytes.count <= Int(Int32.max) else { throw IrisLogError(.limit, "document too large") }
        let options =
            XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
            | XML_PARSE_COMPACT.rawValue
        let parsed = bytes.withUnsafeBytes { raw in
            raw.baseAddress.flatMap {
                xmlReadMemory($0.assumingMemoryBound(to: CChar.self), Int32(raw.count), nil, nil, Int32(options))
            }
        }
        guard let parsed else { throw IrisLogError(.syntax, "not well-formed XML") }
        // A document type could declare entities; none of our documents has one.
        guard parsed.pointee.intSubset == nil, xmlDocGetRootElement(parsed) != nil else {
            xmlFreeDoc(parsed)
            throw IrisLogError(.syntax, "document types are not accepted")
        }
        document = parsed
        // Without a known encoding libxml2 writes attributes' letters beyond ASCII as character references.
        if document.pointee.encoding == nil { document.pointee.encoding = UnsafePointer(xmlStrdup("UTF-8")) }
    }

    deinit { xmlFreeDoc(document) }

    var root: Node? { xmlDocGetRootElement(document) }

    /// One element as XML text, without declaration and indentation.
    func serialized(_ node: Node) throws(IrisLogError) -> String {
        guard let buffer = xmlBufferCreate() else { throw IrisLogError(.internal, "out of memory") }
        defer { xmlBufferFree(buffer) }
        guard xmlNodeDump(buffer, document, node, 0, 0) >= 0, let text = xmlBufferContent(buffer) else {
            throw IrisLogError(.internal, "cannot write XML")
        }
        return String(cString: text)
    }

    /// The whole document as XML text.
    func serialized() throws(IrisLogError) -> String {
        guard let root else { throw IrisLogError(.internal, "empty document") }
        return try serialized(root)
    }
}

/// The few things read from an element.
enum XMLElement {
    static func name(_ node: XMLTree.Node) -> String? {
        node.pointee.type == XML_ELEMENT_NODE ? node.pointee.name.map { String(cString: $0) } : nil
    }

    static func attribute(_ name: String, of node: XMLTree.Node) -> String? {
        guard let value = xmlGetNoNsProp(node, name) else { return nil }
        defer { clibxml2_free(value) }
        return String(cString: value)
    }

    static func content(_ node: XMLTree.Node) -> String {
        guard let value = xmlNodeGetContent(node) else { return "" }
        defer { clibxml2_free(value) }
        return String(cString: value)
    }

    /// The element children, in document order.
    static func children(_ node: XMLTree.Node) -> [XMLTree.Node] {
        var found: [XMLTree.Node] = []
        var next = node.pointee.children
        while let child = next {
            if child.pointee.type == XML_ELEMENT_NODE { found.append(child) }
            next = child.pointee.next
        }
        return found
    }
}
