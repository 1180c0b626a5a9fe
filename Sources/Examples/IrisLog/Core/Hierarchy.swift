/// The levels of the hierarchy, from the root down.
public enum Level: Int, Sendable, CaseIterable {
    /// The root.
    case country
    /// A part of a country.
    case region
    /// A place with nodes.
    case site
    /// The only level with readings.
    case node

    /// The element's name in XML.
    public var name: String {
        switch self {
        case .country: "country"
        case .region: "region"
        case .site: "site"
        case .node: "node"
        }
    }
}

/// Where an element is: the ids from the root down, never empty, at most one for each level.
public struct IDPath: Hashable, Sendable {
    /// The ids from the root down.
    public let ids: [String]

    /// Creates a path; nil if it is empty, too long or has an invalid id.
    public init?(_ ids: [String]) {
        guard !ids.isEmpty, ids.count <= Level.allCases.count, ids.allSatisfy(Name.isValid) else { return nil }
        self.ids = ids
    }

    /// The path as an explicit XPath: `/country[@id='earth']/region[@id='north']`.
    public var xpath: String {
        zip(Level.allCases, ids).map { "/\($0.name)[@id='\($1)']" }.joined()
    }

    /// Reads the explicit form and nothing else.
    public init?(xpath: String) {
        var rest = Substring(xpath)
        var ids: [String] = []
        for level in Level.allCases where !rest.isEmpty {
            let head = "/\(level.name)[@id="
            guard rest.hasPrefix(head) else { return nil }
            rest = rest.dropFirst(head.count)
            guard let quote = rest.popFirst(), quote == "'" || quote == "\"",
                let end = rest.firstIndex(of: quote)
            else { return nil }
            ids.append(String(rest[..<end]))
            rest = rest[rest.index(after: end)...]
            guard rest.popFirst() == "]" else { return nil }
        }
        guard rest.isEmpty else { return nil }
        self.init(ids)
    }
}

/// The rule for ids and sensor names: they appear inside paths and attributes and never need escaping.
public enum Name {
    /// Whether the text is of `[A-Za-z0-9._-]{1,64}`.
    public static func isValid(_ text: String) -> Bool {
        (1...Limits.nameCharacters).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Who owns which element: the same on every server.
public struct Hierarchy: Sendable {
    /// One element of the hierarchy with everything below it.
    public struct Element: Sendable {
        /// Its place.
        public let path: IDPath
        /// The address of the server that owns it.
        public let host: String
        /// The elements one level below, in the order of the file.
        public let children: [Element]

        /// Its level.
        public var level: Level { Level.allCases[path.ids.count - 1] }

        /// Its id.
        public var id: String { path.ids[path.ids.count - 1] }

        /// Its start tag; ids and hosts never need escaping.
        var startTag: String { "<\(level.name) id=\"\(id)\" host=\"\(host)\">" }
        var endTag: String { "</\(level.name)>" }
    }

    /// The country.
    public let root: Element

    /// Reads the hierarchy file.
    public init(xml: [UInt8]) throws(IrisLogError) {
        let tree = try XMLTree(parsing: xml)
        guard let top = tree.root else { throw IrisLogError(.syntax, "empty hierarchy") }
        var count = 0
        root = try Self.element(top, above: [], count: &count)
    }

    /// Reads the hierarchy file.
    public init(xml: String) throws(IrisLogError) {
        try self.init(xml: Array(xml.utf8))
    }

    /// The element at a path.
    public func element(at path: IDPath) -> Element? {
        guard path.ids[0] == root.id else { return nil }
        var found = root
        for id in path.ids.dropFirst() {
            guard let child = found.children.first(where: { $0.id == id }) else { return nil }
            found = child
        }
        return found
    }

    private static func element(
        _ node: XMLTree.Node, above: [String], count: inout Int
    ) throws(IrisLogError) -> Element {
        count += 1
        guard count <= Limits.hierarchyElements else { throw IrisLogError(.limit, "hierarchy too large") }
        guard above.count < Level.allCases.count, XMLElement.name(node) == Level.allCases[above.count].name else {
            throw IrisLogError(.syntax, "the hierarchy is country, region, site, node")
        }
        guard let id = XMLElement.attribute("id", of: node), let path = IDPath(above + [id]) else {
            throw IrisLogError(.syntax, "an element has no valid id")
        }
        guard let host = XMLElement.attribute("host", of: node), HostAddress(host) != nil else {
            throw IrisLogError(.syntax, "\(path.xpath) has no valid host")
        }
        var children: [Element] = []
        var ids: Set<String> = []
        for child in XMLElement.children(node) {
            let element = try Self.element(child, above: path.ids, count: &count)
            guard ids.insert(element.id).inserted else {
                throw IrisLogError(.syntax, "\(element.path.xpath) appears twice")
            }
            children.append(element)
        }
        return Element(path: path, host: host, children: children)
    }
}
