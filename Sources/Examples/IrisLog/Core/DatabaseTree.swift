import CLibXML2

/// The tree of a server's own elements, with an index that makes an update independent of the tree's size.
struct DatabaseTree {
    struct Key: Hashable {
        let sensor: String
        let sequence: UInt64
    }

    private struct Current {
        let element: XMLTree.Node
        let at: UInt64
        let sequence: UInt64
        let bytes: Int
    }

    /// Under each node first the current values, then the readings in order of arrival.
    private struct NodeIndex {
        let element: XMLTree.Node
        var keys: Set<Key> = []
        var currents: [String: Current] = [:]
        var oldest: XMLTree.Node?
    }

    let tree: XMLTree
    private var nodes: [IDPath: NodeIndex] = [:]
    /// Readings dropped because their node was full.
    private(set) var dropped = 0
    /// At least as many bytes as all readings have as XML.
    private(set) var bytes = 0

    /// An empty database: the owned elements of the hierarchy below their ancestors.
    init(hierarchy: Hierarchy, me: String) throws(IrisLogError) {
        var nodes: [IDPath] = []
        let skeleton =
            Self.skeleton(hierarchy.root, me: me, nodes: &nodes)
            ?? hierarchy.root.startTag + hierarchy.root.endTag
        tree = try XMLTree(parsing: Array(skeleton.utf8))
        for path in nodes {
            guard let element = try tree.elements(path.xpath).first else {
                throw IrisLogError(.internal, "the index does not match the tree")
            }
            self.nodes[path] = NodeIndex(element: element)
        }
    }

    /// The owned part of an element as XML; nil if nothing in it is owned.
    private static func skeleton(_ element: Hierarchy.Element, me: String, nodes: inout [IDPath]) -> String? {
        var children = ""
        for child in element.children { children += skeleton(child, me: me, nodes: &nodes) ?? "" }
        guard element.host == me || !children.isEmpty else { return nil }
        if element.level == .node { nodes.append(element.path) }
        return element.startTag + children + element.endTag
    }

    func owns(node path: IDPath) -> Bool { nodes[path] != nil }

    func contains(_ reading: Reading, at path: IDPath) -> Bool {
        nodes[path]?.keys.contains(Key(sensor: reading.sensor, sequence: reading.sequence)) ?? false
    }

    func isFull(_ path: IDPath) -> Bool { (nodes[path]?.keys.count ?? 0) >= Limits.readingsPerNode }

    /// Whether a reading may be added: its sensor is known or not one too many, and its bytes are not either.
    func hasRoom(for reading: Reading, at path: IDPath) -> Bool {
        guard let index = nodes[path], bytes + 2 * reading.xmlBytes <= Limits.databaseBytes else { return false }
        return index.currents[reading.sensor] != nil || index.currents.count < Limits.sensorsPerNode
    }

    /// Adds a reading that is not there yet.
    mutating func add(_ reading: Reading, at path: IDPath) {
        guard var index = nodes.removeValue(forKey: path) else { return }
        defer { nodes[path] = index }
        guard index.keys.insert(Key(sensor: reading.sensor, sequence: reading.sequence)).inserted else { return }
        let element = Self.element("reading", reading)
        _ = xmlAddChild(index.element, element)
        bytes += reading.xmlBytes
        if index.oldest == nil { index.oldest = element }
        if index.keys.count > Limits.readingsPerNode { dropOldest(&index) }
        replaceCurrent(reading, in: &index)
    }

    /// Makes a reading the current one if it is newer; true if it is.
    mutating func addCurrent(_ reading: Reading, at path: IDPath) -> Bool {
        guard var index = nodes.removeValue(forKey: path) else { return false }
        defer { nodes[path] = index }
        return replaceCurrent(reading, in: &index)
    }

    @discardableResult
    private mutating func replaceCurrent(_ reading: Reading, in index: inout NodeIndex) -> Bool {
        let old = index.currents[reading.sensor]
        if let old, !reading.isNewer(than: old.at, old.sequence) { return false }
        let element = Self.element("current", reading)
        bytes += reading.xmlBytes - (old?.bytes ?? 0)
        if let old {
            _ = xmlReplaceNode(old.element, element)
            xmlFreeNode(old.element)
        } else if let first = index.element.pointee.children {
            _ = xmlAddPrevSibling(first, element)
        } else {
            _ = xmlAddChild(index.element, element)
        }
        if let element {
            index.currents[reading.sensor] = Current(
                element: element, at: reading.at, sequence: reading.sequence, bytes: reading.xmlBytes)
        }
        return true
    }

    private mutating func dropOldest(_ index: inout NodeIndex) {
        guard let oldest = index.oldest else { return }
        if let sensor = XMLElement.attribute("sensor", of: oldest),
            let sequence = XMLElement.attribute("sequence", of: oldest).flatMap(UInt64.init)
        {
            index.keys.remove(Key(sensor: sensor, sequence: sequence))
            let reading = try? Reading(sensor: sensor, sequence: sequence, at: 0, value: XMLElement.content(oldest))
            bytes -= reading?.xmlBytes ?? 0
        }
        index.oldest = oldest.pointee.next
        xmlUnlinkNode(oldest)
        xmlFreeNode(oldest)
        dropped += 1
    }

    private static func element(_ name: String, _ reading: Reading) -> XMLTree.Node? {
        guard let element = xmlNewNode(nil, name) else { return nil }
        xmlNewProp(element, "sensor", reading.sensor)
        xmlNewProp(element, "sequence", String(reading.sequence))
        xmlNewProp(element, "at", String(reading.at))
        if !reading.value.isEmpty { _ = xmlAddChild(element, xmlNewText(reading.value)) }
        return element
    }
}
