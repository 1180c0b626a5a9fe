import CLibXML2

/// Evaluates XPath 1.0 on a tree; every outcome becomes a list of strings.
extension XMLTree {
    /// Whether an expression can be compiled.
    static func validate(_ expression: String) throws(IrisLogError) {
        guard expression.utf8.count <= Limits.lineBytes else { throw IrisLogError(.limit, "query too long") }
        guard let context = xmlXPathNewContext(nil) else { throw IrisLogError(.internal, "out of memory") }
        defer { xmlXPathFreeContext(context) }
        context.pointee.error = { _, _ in }
        guard let compiled = xmlXPathCtxtCompile(context, expression) else {
            throw IrisLogError(.query, "not an XPath expression")
        }
        xmlXPathFreeCompExpr(compiled)
    }

    /// Elements as XML, attributes and text as their value; a number, string or boolean is a single item.
    func items(_ expression: String) throws(IrisLogError) -> [String] {
        var items: [String] = []
        var bytes = 0
        try evaluate(expression) { (object) throws(IrisLogError) in
            if object.pointee.type == XPATH_NODESET {
                for node in Self.nodes(of: object) {
                    let item = Self.withoutLineFeeds(try self.item(node))
                    bytes += item.utf8.count + 1
                    guard bytes <= Limits.answerBytes, items.count < Limits.answerItems else {
                        throw IrisLogError(.limit, "answer too large")
                    }
                    items.append(item)
                }
            } else {
                guard let text = xmlXPathCastToString(object) else {
                    throw IrisLogError(.internal, "out of memory")
                }
                defer { clibxml2_free(text) }
                items = [Self.withoutLineFeeds(String(cString: text))]
            }
        }
        return items
    }

    /// The elements an expression selects; valid as long as the tree lives and is not changed.
    func elements(_ expression: String) throws(IrisLogError) -> [Node] {
        var found: [Node] = []
        try evaluate(expression) { (object) throws(IrisLogError) in
            if object.pointee.type == XPATH_NODESET { found = Self.nodes(of: object) }
        }
        return found
    }

    private func evaluate(
        _ expression: String, _ body: (UnsafeMutablePointer<xmlXPathObject>) throws(IrisLogError) -> Void
    ) throws(IrisLogError) {
        guard let context = xmlXPathNewContext(document) else { throw IrisLogError(.internal, "out of memory") }
        defer { xmlXPathFreeContext(context) }
        // The default handlers would print to standard error.
        clibxml2_silence_thread()
        context.pointee.error = { _, _ in }
        context.pointee.opLimit = Limits.xpathOperations
        guard let object = xmlXPathEvalExpression(expression, context) else {
            throw IrisLogError(.query, "cannot be evaluated")
        }
        defer { xmlXPathFreeObject(object) }
        try body(object)
    }

    private static func nodes(of object: UnsafeMutablePointer<xmlXPathObject>) -> [Node] {
        guard let set = object.pointee.nodesetval, set.pointee.nodeNr > 0, let table = set.pointee.nodeTab else {
            return []
        }
        // Unsorted results of unions would otherwise depend on the order of evaluation.
        xmlXPathNodeSetSort(set)
        return (0..<Int(set.pointee.nodeNr)).compactMap { table[$0] }
    }

    private func item(_ node: Node) throws(IrisLogError) -> String {
        switch node.pointee.type {
        case XML_ELEMENT_NODE: return try serialized(node)
        case XML_DOCUMENT_NODE: return try serialized()
        // A namespace node is a different structure under the same pointer type.
        case XML_NAMESPACE_DECL: return ""
        default: return XMLElement.content(node)
        }
    }

    private static func withoutLineFeeds(_ item: String) -> String {
        guard item.utf8.contains(10) else { return item }
        return item.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "&#10;")
    }
}
