import CFSLSD
import CFSNode

/// A process of nodes of generation 2: `cfs-lsd2`.
@main
enum Program {
    static func main() async { await LSDProgram.main(Generation2.self) }
}
