import Foundation

/// One run of `cfs-simulate`.
package struct CFSSimulation: Sendable {
    package var measure: CFSMeasure
    /// The program's arguments, without files.
    package var words: [String]
    /// What its picture is called; nil: it has none.
    package var picture: String?
    private var read: @Sendable ([String: Double]) -> [Observation]

    static func generation(_ number: Double) -> String { "generation \(Int(number))" }
    static func lookups(_ nodes: Int) -> String { "lookups on \(nodes) nodes" }
    static func losses(_ scale: CFSScale, length: Int) -> String {
        "30 % of \(scale.losses.nodes) nodes fail with \(scale.losses.blocks) blocks of \(length) bytes"
    }
    /// Bytes of blocks: those of the papers' experiments, and those that need all 7 of 14 fragments.
    static let lengths = [2048, 8192]

    /// What there is to be simulated.
    static func all(_ scale: CFSScale) -> [CFSSimulation] {
        [lookups(scale)] + lengths.map { losses(scale, length: $0) } + [failures(scale)]
    }

    /// What its table says.
    ///
    /// - Returns: nothing if the table is not one of it.
    package func observations(_ table: CommaTable) -> [Observation] {
        // Later rows are of later times.
        var found: [Observation] = []
        for observation in table.rows.flatMap(read) {
            found.removeAll { ($0.measure, $0.peer) == (observation.measure, observation.peer) }
            found.append(observation)
        }
        return found
    }

    private static func lookups(_ scale: CFSScale) -> CFSSimulation {
        CFSSimulation(
            measure: .lookups, words: ["hops", "--settle", "300", "--nodes"] + scale.lookups.map { "\($0)" },
            picture: "hops"
        ) { row in
            guard let generation = row["generation"], let nodes = row["nodes"], let mean = row["mean"],
                let median = row["median_ms"], let late = row["ninety_ms"], let wrong = row["wrong"],
                let failed = row["failed"], nodes > 1
            else { return [] }
            return [
                ("hops", mean, "hops"), ("hops to log2 N", mean / log2(nodes), "x"), ("median", median, "ms"),
                ("nine of ten", late, "ms"), ("wrong or failed", wrong + failed, "lookups"),
            ].map {
                Observation(
                    CFSRun.key(lookups(Int(nodes)), $0), Self.generation(generation), round: 0, $1, $2)
            }
        }
    }

    private static func losses(_ scale: CFSScale, length: Int) -> CFSSimulation {
        CFSSimulation(
            measure: .losses,
            words: [
                "blocks", "--generation", "1", "2", "--nodes", "\(scale.losses.nodes)", "--blocks",
                "\(scale.losses.blocks)", "--length", "\(length)",
            ], picture: length == lengths.last ? "fragments" : nil
        ) { row in
            guard let generation = row["generation"], let blocks = row["blocks"], let fewest = row["fewest"],
                let few = row["too_few"], let needed = row["needed"], let fetched = row["fetched"]
            else { return [] }
            return [
                ("lost", blocks - fetched, "blocks"), ("with too few fragments", few, "blocks"),
                ("fewest fragments of a block", fewest, ""), ("fragments needed", needed, ""),
            ].map {
                Observation(
                    CFSRun.key(losses(scale, length: length), $0), Self.generation(generation), round: 0, $1, $2)
            }
        }
    }

    private static func failures(_ scale: CFSScale) -> CFSSimulation {
        CFSSimulation(
            measure: .losses,
            words: [
                "failures", "--nodes", "\(scale.losses.nodes)", "--blocks", "\(scale.losses.blocks / 10)",
            ], picture: "failures"
        ) { row in
            guard let generation = row["generation"], let share = row["failed_nodes"],
                let lookups = row["failed_lookups"],
                let fetches = row["failed_fetches"], let late = row["lookup_ninety_ms"]
            else { return [] }
            let name = "before \(scale.losses.nodes) nodes noticed that \(Int((share * 100).rounded())) % failed"
            return [
                ("lookups failed", 100 * lookups, "%"), ("fetches failed", 100 * fetches, "%"),
                ("nine of ten lookups", late, "ms"),
            ].map { Observation(CFSRun.key(name, $0), Self.generation(generation), round: 0, $1, $2) }
        }
    }
}
