import ArgumentParser
import CFSSimulation

extension Generation {
    /// The one with this number on the command line.
    static func named(_ text: String) throws -> Generation {
        guard let generation = Int(text).flatMap(Generation.init(rawValue:)) else {
            throw ValidationError("There are the generations 1 and 2.")
        }
        return generation
    }
}
