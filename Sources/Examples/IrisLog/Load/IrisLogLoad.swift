import ArgumentParser
import Dispatch
import Glibc
import IrisLogCore

/// A sensing agent and a reader in one: updates one node with this host's own readings and queries all of them, without
/// pause, until SIGTERM; then it reads back every update that was acknowledged.
///
/// It prints `progress REQUESTS FAILED UPDATES` a few times a second, and at the end `result ...`, as ``LoadReport`` has it.
@main
struct IrisLogLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "irislog-load",
        abstract: "Uses an IrisLog without pause, and at the end reads back every update that was acknowledged.")

    @Option(name: .customLong("protocol"), help: "The client protocol, 1 or 2.")
    var generation = 1

    @Option(help: "The server, ADDRESS:PORT.")
    var server: String

    @Option(help: "The path of the node that is updated, /country[@id='earth']/...")
    var node: String

    @Option(help: "A query that has one item for every node, and never fewer than it ever had.")
    var everywhere: String

    @Option(help: "The sensor's name; no other agent of this node may use it.")
    var sensor: String

    @Option(help: "Milliseconds between two updates, and between two queries of the node.")
    var pause = 50

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        guard let address = HostAddress(server), let port = address.port, (1...2).contains(generation) else {
            throw ValidationError("--server is ADDRESS:PORT, --protocol is 1 or 2")
        }
        let place = LoadTarget(
            generation: generation, host: address.address, port: port, node: node, everywhere: everywhere,
            sensor: sensor)
        let report = SharedReport()
        let loops = Task {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await UpdateLoop(target: place, report: report, pause: pause).run() }
                tasks.addTask { await QueryLoop(target: place, report: report, pause: pause).run() }
                tasks.addTask {
                    while !report.isStopping {
                        print(report.value.progress)
                        fflush(nil)
                        try? await Task.sleep(for: .milliseconds(200))
                    }
                }
            }
        }
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM)
        source.setEventHandler { report.stop() }
        source.resume()
        await loops.value
        source.cancel()
        await ReadBack(target: place, report: report).run()
        print(report.value.result)
    }
}
