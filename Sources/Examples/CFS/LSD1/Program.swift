import CFSLSD
import CFSNode

/// A process of nodes of generation 1: `cfs-lsd`.
@main
enum Program {
    static func main() async { await LSDProgram.main(Generation1.self) }
}
