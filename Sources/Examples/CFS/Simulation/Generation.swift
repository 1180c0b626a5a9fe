public import CFSRing

/// Which generation's nodes are simulated.
public enum Generation: Int, Sendable, CaseIterable {
    /// 2004: iterative lookups, a finger for each bit, dispersal.
    case first = 1
    /// 2008 and ours: recursive lookups, near fingers for each digit, Reed-Solomon.
    case second = 2

    /// How its blocks are kept.
    public var dhash: DHashParameters { self == .first ? DHashParameters() : .generation2 }
    /// How its rings are kept.
    public var chord: ChordParameters { self == .first ? ChordParameters() : .generation2 }
}
