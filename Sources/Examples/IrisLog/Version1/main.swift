import Glibc
import IrisLogCore
import IrisLogNetwork
import IrisLogProtocol1

let code = await ServerProgram.run(name: "irislog1", arguments: CommandLine.arguments) { setup in
    Server1(
        hierarchy: setup.hierarchy, me: setup.configuration.me, database: setup.database,
        peerPort: setup.configuration.peerPort)
}
exit(code)
