/// Why a store cannot be opened.
public enum BlockDatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process keeps its blocks there.
    case inUse(path: String)
    /// Nodes of another generation have their blocks there.
    case otherGeneration(path: String, generation: Int)
    /// The directory or the file cannot be used, and what the system says of it.
    case unusable(path: String, why: String)

    /// One sentence.
    public var description: String {
        switch self {
        case .inUse(let path): "another process keeps its blocks in \(path)"
        case .otherGeneration(let path, let generation):
            "\(path) has the blocks of nodes of generation \(generation), which others cannot make anything of"
        case .unusable(let path, let why): "\(path) cannot be used: \(why)"
        }
    }
}
