public import CFSModel

/// A part of the circle from `start` through `end`, around zero if `end` is below `start`.
public struct KeyRange: Equatable, Sendable {
    /// The first key.
    public let start: ChordID
    /// The last key.
    public let end: ChordID

    /// A range.
    public init(from start: ChordID, through end: ChordID) {
        self.start = start
        self.end = end
    }

    /// Whether a key is in it.
    public func contains(_ key: ChordID) -> Bool {
        start <= end ? key >= start && key <= end : key >= start || key <= end
    }

    /// The parts of `low...high`, which does not go around zero, that are in the range: none, one or two.
    func parts(of low: ChordID, _ high: ChordID) -> [KeyRange] {
        let pieces = start <= end ? [(start, end)] : [(start, ChordID(0).previous), (ChordID(0), end)]
        return pieces.compactMap { piece in
            let (from, through) = (max(piece.0, low), min(piece.1, high))
            return from <= through ? KeyRange(from: from, through: through) : nil
        }
    }
}

/// What nodes ask each other about their keys (CFS 2004, program `merkle_sync`).
public enum MerkleRequest: Equatable, Sendable {
    /// Here is a part of my tree; show me yours. I care for this range.
    case sendNode(KeyRange, MerkleNode)
    /// Which keys do you have from `start` through `end`? 64 at most.
    case getKeys(KeyRange)
}

/// What they answer.
public enum MerkleReply: Equatable, Sendable {
    /// To `sendNode`.
    case node(MerkleNode)
    /// To `getKeys`: in ascending order, and whether there are more.
    case keys([ChordID], hasMore: Bool)
    /// To either: no.
    case failed
}

/// Finds out in which keys another node's tree differs, within a range (CFS 2004, `merkle_syncer`).
///
/// Asks one question at a time. The other node's words are taken for what they are: at worst a key is looked for that does not
/// exist.
public struct MerkleSync: Sendable {
    /// Why a comparison was given up.
    public enum Failure: Error, Equatable, Sendable {
        /// The other node's answer is none to the question.
        case nonsense
        /// More questions than any two real trees need.
        case tooManyQuestions
    }

    /// What comes next.
    public enum Step: Equatable, Sendable {
        /// Ask this.
        case ask(MerkleRequest)
        /// The comparison is over.
        case done
    }

    /// Keys that the other node has and this one lacks, found since they were taken last.
    public private(set) var missingHere: [ChordID] = []
    /// Keys that this node has and the other one lacks.
    public private(set) var missingThere: [ChordID] = []
    /// Questions asked.
    public private(set) var questions = 0

    private let range: KeyRange
    /// Inner parts of both trees that differ, and which child is next.
    private var stack: [(level: Int, prefix: ChordID, hashes: [MerkleHash], slot: Int)] = []
    /// Ranges whose keys are all to be asked for.
    private var ranges: [KeyRange] = []
    private var asked: MerkleRequest?

    /// Most questions of one comparison.
    static let questionsMax = 65_536

    /// Compares whole trees within a range.
    public init(range: KeyRange) { self.range = range }

    /// Asks for all keys of some ranges only: what a node does that was shown an inner part where it has a leaf.
    public init(keysIn ranges: [KeyRange]) {
        range = KeyRange(from: ChordID(0), through: ChordID(0).previous)
        self.ranges = ranges
        asked = nil
        isStarted = true
    }

    private var isStarted = false

    /// The keys found missing so far, each once.
    public mutating func takeMissing() -> (here: [ChordID], there: [ChordID]) {
        defer { (missingHere, missingThere) = ([], []) }
        return (missingHere, missingThere)
    }

    /// The next question.
    ///
    /// - Parameter tree: This node's, as it is now: it may change between two questions.
    public mutating func next(_ tree: MerkleTree) throws(Failure) -> Step {
        guard questions < Self.questionsMax else { throw .tooManyQuestions }
        if !isStarted {
            isStarted = true
            return ask(.sendNode(range, tree.node(at: 0, prefix: ChordID(0))))
        }
        if let range = ranges.last { return ask(.getKeys(range)) }
        while let top = stack.last {
            guard case .inner(let mine) = tree.node(at: top.level, prefix: top.prefix).content else {
                // This node lost keys meanwhile and has a leaf there: then all of it is asked for.
                stack.removeLast()
                ranges += range.parts(of: top.prefix, top.prefix.merkleEnd(top.level))
                if let range = ranges.last { return ask(.getKeys(range)) }
                continue
            }
            var slot = top.slot
            while slot < 64 {
                let prefix = top.prefix.merkleChild(slot, below: top.level)
                slot += 1
                if top.level == ChordID.merkleLevels - 1, slot > 16 { break }
                guard mine[slot - 1] != top.hashes[slot - 1] else { continue }
                guard !range.parts(of: prefix, prefix.merkleEnd(top.level + 1)).isEmpty else { continue }
                stack[stack.count - 1].slot = slot
                return ask(.sendNode(range, tree.node(at: top.level + 1, prefix: prefix)))
            }
            stack.removeLast()
        }
        return .done
    }

    private mutating func ask(_ request: MerkleRequest) -> Step {
        questions += 1
        asked = request
        return .ask(request)
    }

    /// The other node's answer to the last question.
    public mutating func receive(_ reply: MerkleReply, _ tree: MerkleTree) throws(Failure) {
        guard let asked = asked.take() else { throw .nonsense }
        switch (asked, reply) {
        case (.sendNode(_, let mine), .node(let theirs)): try compare(mine, theirs, tree)
        case (.getKeys(let range), .keys(let keys, let hasMore)): try take(keys, hasMore: hasMore, of: range, tree)
        default: throw .nonsense
        }
    }

    private mutating func compare(_ mine: MerkleNode, _ theirs: MerkleNode, _ tree: MerkleTree) throws(Failure) {
        // A tree with fewer keys shows the leaf that the part would be in.
        guard !theirs.isNonsense, theirs.level <= mine.level, theirs.prefix == mine.prefix.merklePrefix(theirs.level)
        else { throw .nonsense }
        switch (mine.content, theirs.content) {
        case (_, .leaf(let keys)):
            for part in range.parts(of: mine.prefix, mine.end) { note(keys.filter(part.contains), of: part, tree) }
        case (.leaf, .inner): ranges += range.parts(of: theirs.prefix, theirs.end)
        case (.inner, .inner(let hashes)):
            guard theirs.level == mine.level else { throw .nonsense }
            stack.append((theirs.level, theirs.prefix, hashes, 0))
        }
    }

    private mutating func take(_ keys: [ChordID], hasMore: Bool, of asked: KeyRange, _ tree: MerkleTree) throws(Failure)
    {
        guard keys.count <= CFSLimits.keysPerMerkleNode, keys.allSatisfy(asked.contains),
            zip(keys, keys.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw .nonsense }
        ranges.removeLast()
        guard hasMore else { return note(keys, of: asked, tree) }
        // Without a last key there would be no end.
        guard let last = keys.last else { throw .nonsense }
        note(keys, of: KeyRange(from: asked.start, through: last), tree)
        if last < asked.end { ranges.append(KeyRange(from: last.next, through: asked.end)) }
    }

    /// These are all keys that the other node has from `part.start` through `part.end`.
    private mutating func note(_ theirs: [ChordID], of part: KeyRange, _ tree: MerkleTree) {
        let room = CFSLimits.missingKeys
        for key in theirs where missingHere.count < room && !tree.contains(key) { missingHere.append(key) }
        let known = Set(theirs)
        for key in tree.keys(from: part.start, through: part.end, limit: room)
        where missingThere.count < room && !known.contains(key) {
            missingThere.append(key)
        }
    }
}

extension MerkleTree {
    /// Answers a question about the keys.
    ///
    /// - Returns: The answer; keys that the asking node has and this one lacks; ranges whose keys have to be asked for to know the
    ///   rest.
    public func answer(_ request: MerkleRequest) -> (reply: MerkleReply, missing: [ChordID], unknown: [KeyRange]) {
        switch request {
        case .sendNode(let range, let theirs):
            guard !theirs.isNonsense else { return (.failed, [], []) }
            let mine = node(at: theirs.level, prefix: theirs.prefix)
            switch (mine.content, theirs.content) {
            case (_, .leaf(let keys)):
                return (.node(mine), keys.filter { range.contains($0) && !contains($0) }, [])
            case (.leaf, .inner): return (.node(mine), [], range.parts(of: theirs.prefix, theirs.end))
            case (.inner, .inner): return (.node(mine), [], [])
            }
        case .getKeys(let range):
            guard range.start <= range.end else { return (.failed, [], []) }
            let keys = keys(from: range.start, through: range.end, limit: CFSLimits.keysPerMerkleNode + 1)
            let hasMore = keys.count > CFSLimits.keysPerMerkleNode
            return (.keys(Array(keys.prefix(CFSLimits.keysPerMerkleNode)), hasMore: hasMore), [], [])
        }
    }
}
