import BenchFigures
import BenchPrograms

/// A release of the echo server, which is all that versiond runs here.
struct BenchRelease {
    /// UDP ports that nobody has sent to yet: a flow to one of them begins on the slow path.
    static let freshPorts: [UInt16] = Array(7101...7124)

    /// The application's name.
    let application: String
    /// Its TCP port.
    let port: UInt16
    /// The publisher's key, as nodes pin it.
    let key: String
    /// Where the release is.
    let directory: String

    /// Makes it as a developer would: files, a description, `versionctl release make`.
    ///
    /// - Parameter ports: its UDP ports.
    static func make(
        _ bench: RouterBench, application: String = "bench", port: UInt16 = Lane.port,
        udp ports: [UInt16] = [Lane.port] + freshPorts
    ) throws -> BenchRelease {
        let folder = try bench.folder("release")
        let versionctl = "\(bench.tools.programs)/versionctl"
        // With what of Swift's runtime it uses, beside it.
        try bench.shell(
            """
            mkdir -p \(folder)/files/opt/bench
            cp \(bench.tools.load) \(folder)/files/opt/bench/
            ldd \(bench.tools.load) | sed -n 's/.*=> \\(.*\\/swift\\/linux\\/[^ ]*\\) .*/\\1/p' |
              xargs -r cp -L -t \(folder)/files/opt/bench
            """)
        let serve = LoadCommand(.serve(tcp: [port], udp: ports), cpu: Lane.serverCPU)
        let words = (["/opt/bench/bench-load"] + serve.arguments).map { "\"\($0)\"" }.joined(separator: ", ")
        let peerPorts = (["\(port)"] + ports.map { "{ \"udp\": \($0) }" }).joined(separator: ", ")
        try File.write(
            """
            {
              "application": "\(application)", "version": 1, "name": "1.0",
              "ports": { "peer": [\(peerPorts)], "client": [] },
              "files": "files",
              "start": [\(words)],
              "health": { "port": \(port), "intervalMilliseconds": 50, "startupTimeoutMilliseconds": 20000 }
            }

            """, to: "\(folder)/release.json")
        let key = try bench.run(versionctl, ["release", "keys", "--output", "\(folder)/publisher.key"])
        try bench.run(
            versionctl,
            [
                "release", "make", "\(folder)/release.json", "--key", "\(folder)/publisher.key", "--output",
                "\(folder)/made",
            ])
        return BenchRelease(
            application: application, port: port,
            key: key.split(whereSeparator: \.isNewline).first.map(String.init) ?? "", directory: "\(folder)/made")
    }
}
