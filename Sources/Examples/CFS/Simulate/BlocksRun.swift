import CFSSimulation

/// What became of one generation's blocks, step by step.
struct BlocksRun: Sendable {
    /// How many fragments blocks have at a time.
    struct Fragments: Sendable {
        /// Since the nodes failed.
        var minutes: Int
        var fewest, median, most: Int
        /// Blocks that have fewer than are needed to make them.
        var tooFew: Int
    }

    static let header = "generation,blocks,length,needed,minutes,fewest,median,most,too_few,fetched"

    let generation: Generation
    /// Those that were stored.
    let blocks: Int
    let length: Int
    let needed: Int
    private(set) var fragments: [Fragments] = []
    /// Those that were fetched in the end.
    var fetched = 0
    /// For people.
    private(set) var text: [String] = []

    init(_ generation: Generation, blocks: Int, length: Int, needed: Int) {
        self.generation = generation
        self.blocks = blocks
        self.length = length
        self.needed = needed
    }

    mutating func say(_ line: String) { text.append(line) }

    /// Notes how many fragments each block has.
    ///
    /// - Parameter minutes: since the nodes failed; nil: they have not yet, and it is not for the figure.
    mutating func look(at counts: [Int], minutes: Int? = nil) {
        let counts = counts.sorted()
        guard let fewest = counts.first, let most = counts.last else { return }
        let found = Fragments(
            minutes: minutes ?? 0, fewest: fewest, median: counts[counts.count / 2], most: most,
            tooFew: counts.prefix { $0 < needed }.count)
        say(
            "fragments of a block: \(fewest) to \(most), median \(found.median); too few for \(found.tooFew) blocks")
        if minutes != nil { fragments.append(found) }
    }

    /// For programs: each has what was fetched in the end.
    var rows: [String] {
        fragments.map {
            "\(generation.rawValue),\(blocks),\(length),\(needed),\($0.minutes),\($0.fewest),\($0.median),\($0.most),"
                + "\($0.tooFew),\(fetched)"
        }
    }
}
