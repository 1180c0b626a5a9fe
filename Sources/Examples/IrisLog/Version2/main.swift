import Glibc
import IrisLogCore
import IrisLogNetwork
import IrisLogProtocol2

let code = await ServerProgram.run(name: "irislog2", arguments: CommandLine.arguments) { setup in
    Server2(
        hierarchy: setup.hierarchy, me: setup.configuration.me, database: setup.database,
        peerPort: setup.configuration.peerPort)
}
exit(code)
