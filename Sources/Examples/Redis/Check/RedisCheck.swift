import ArgumentParser
import Dispatch
import Glibc
import RedisCheckModel
import VersionKitProcesses

/// Uses a Redis without pause, over several connections that each know what their keys must be; at SIGTERM it reads
/// everything back.
///
/// It prints `progress REQUESTS FAILED WRITES` a few times a second, and at the end `result ...`, as ``Report`` has it.
@main
struct RedisCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redis-check",
        abstract: "Uses a Redis without pause, checks each answer, and at the end reads back what was acknowledged.")

    @Option(help: "The server, ADDRESS:PORT.")
    var server = "127.0.0.1:6379"

    @Option(help: "Connections, each with keys of its own.")
    var connections = 8

    @Option(help: "Microseconds between an answer and the next request.")
    var pause: UInt32 = 1000

    @Option(
        name: .customLong("run"), help: "What names of keys have behind `check:`: another one for each run on a server."
    )
    var runName = ""

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let parts = server.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]), connections > 0 else {
            throw ValidationError("--server is ADDRESS:PORT, --connections at least 1")
        }
        let (host, name, pause) = (String(parts[0]), runName, pause)
        let report = SharedReport()
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM)
        source.setEventHandler { report.stop() }
        source.resume()
        await withTaskGroup(of: Void.self) { tasks in
            for number in 1...connections {
                tasks.addTask {
                    await onThread("check-\(number)") {
                        var client = Client(
                            number: number, run: name, host: host, port: port, pause: pause, report: report)
                        client.run()
                    }
                }
            }
            tasks.addTask {
                while !report.isStopping {
                    print(report.value.progress)
                    fflush(nil)
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
        source.cancel()
        print(report.value.result)
        fflush(nil)
    }
}
