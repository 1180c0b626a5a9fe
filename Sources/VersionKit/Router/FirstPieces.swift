/// Which part of a release a node fetches first, of pieces that are equally rare.
///
/// Those that begin together would otherwise choose by chance, ask the first node for the same pieces in the same moment, and
/// have it send these twice, while others wait for what nobody has yet.
///
/// A value: chance is an argument.
public enum FirstPieces {
    /// The share of a release that one node prefers: that of the first node's neighbours which each has for itself.
    static let share = 1 / Double(Introducer.seedNeighbours)

    /// Where the part begins and ends, 0 being the release's begin and 1 its end; behind the end it goes on at the begin.
    ///
    /// - Parameter known: of how many peers the node was told first. The earlier it asked, the fewer these are: so they tell
    ///   the first node's neighbours apart, without a word about it.
    public static func part(known: Int, using random: inout some RandomNumberGenerator) -> Range<Double> {
        let begin =
            known <= Introducer.seedNeighbours
            ? Double(max(0, known - 1)) * share : Double.random(in: 0..<1, using: &random)
        return begin..<begin + share
    }
}
