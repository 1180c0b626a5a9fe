/// How one server answers a query.
public enum QueryPlan: Equatable, Sendable {
    /// A piece of a spread answer.
    public enum Part: Equatable, Sendable {
        /// Evaluate this on the local tree.
        case local(xpath: String)
        /// Ask this host.
        case ask(host: String, xpath: String)
    }

    /// The query selects nothing that exists.
    case nothing
    /// The smallest subtree belongs to this host: it answers the whole query.
    case forward(host: String)
    /// The answers of the parts, concatenated.
    case spread([Part])
    /// Assemble this subtree, then evaluate the original query on it.
    case gather(IDPath)
}

/// Decides, from hierarchy and query alone, who is asked what.
public struct QueryPlanner: Sendable {
    private let hierarchy: Hierarchy
    private let me: String

    /// Creates the planner of the server `me`.
    public init(hierarchy: Hierarchy, me: String) {
        self.hierarchy = hierarchy
        self.me = me
    }

    /// Plans a query.
    public func plan(_ xpath: String) -> QueryPlan {
        guard let path = XPathPath(xpath), let prefix = HierarchyPrefix(path) else {
            return hierarchy.root.host == me ? .gather(hierarchy.root.path) : .forward(host: hierarchy.root.host)
        }
        guard let subtree = smallestSubtree(prefix) else { return .nothing }
        guard subtree.host == me else { return .forward(host: subtree.host) }
        guard prefix.canSpread else { return .gather(subtree.path) }
        var parts: [QueryPlan.Part] = []
        walk(subtree, prefix, &parts)
        return .spread(parts)
    }

    /// The deepest element that all the selected ones are in; nil if the path leads nowhere.
    private func smallestSubtree(_ prefix: HierarchyPrefix) -> Hierarchy.Element? {
        guard prefix.steps[0].selects(hierarchy.root) else { return nil }
        var found = hierarchy.root
        for step in prefix.steps.dropFirst() {
            let matching = found.children.filter(step.selects)
            if matching.isEmpty { return nil }
            if matching.count > 1 { break }
            found = matching[0]
        }
        return found
    }

    private func walk(_ element: Hierarchy.Element, _ prefix: HierarchyPrefix, _ parts: inout [QueryPlan.Part]) {
        let depth = element.path.ids.count
        guard element.host == me else {
            parts.append(.ask(host: element.host, xpath: prefix.query(below: element)))
            return
        }
        guard depth < prefix.steps.count else {
            parts.append(.local(xpath: prefix.query(below: element)))
            return
        }
        for child in element.children where prefix.steps[depth].selects(child) { walk(child, prefix, &parts) }
    }
}

/// The leading steps of a path that name levels of the hierarchy, and what follows them.
struct HierarchyPrefix {
    struct Step {
        /// Ids that `[@id='x']` predicates ask for.
        var ids: [String] = []
        /// Predicates on attributes only.
        var attributes: [String] = []
        /// Predicates that only the owner can decide.
        var content: [String] = []

        /// Whether an element passes what can be decided without its content.
        func selects(_ element: Hierarchy.Element) -> Bool {
            guard ids.allSatisfy({ $0 == element.id }) else { return false }
            guard !attributes.isEmpty else { return true }
            let alone = element.startTag + element.endTag
            let expression = "/*" + attributes.joined()
            return (try? XMLTree(parsing: Array(alone.utf8)).elements(expression).isEmpty) == false
        }
    }

    private(set) var steps: [Step] = []
    /// Whether the rest can be evaluated by each owner alone.
    private(set) var canSpread = true
    private let path: XPathPath

    /// Nil if not even the first step is one of the hierarchy.
    init?(_ path: XPathPath) {
        self.path = path
        for (step, level) in zip(path.steps, Level.allCases) {
            guard step.matches(level) else { break }
            guard let understood = Self.step(step, level) else {
                canSpread = false
                break
            }
            steps.append(understood)
        }
        guard !steps.isEmpty else { return nil }
        // Whole elements may have parts elsewhere; above the nodes only attributes are the owner's alone.
        if steps.count == path.steps.count || path.hasDescendants { canSpread = false }
        if canSpread, steps.count < Level.allCases.count, !path.steps[steps.count].isAttribute { canSpread = false }
    }

    private static func step(_ step: XPathPath.Step, _ level: Level) -> Step? {
        var understood = Step()
        for tokens in step.predicates {
            let text = "[\(tokens.map(\.text).joined(separator: " "))]"
            switch XPathPredicate(tokens) {
            case .id(let id): understood.ids.append(id)
            case .attributes: understood.attributes.append(text)
            // The content of the other levels may be spread itself.
            case .content where level == .node: understood.content.append(text)
            case .content, .positional: return nil
            }
        }
        return understood
    }

    /// The query narrowed to one element: its ids, the undecided predicates, the remaining steps.
    func query(below element: Hierarchy.Element) -> String {
        let depth = element.path.ids.count
        let undecided = depth <= steps.count ? steps[depth - 1].content.joined() : ""
        return element.path.xpath + undecided + path.steps.dropFirst(depth).map { "/" + $0.text }.joined()
    }
}
