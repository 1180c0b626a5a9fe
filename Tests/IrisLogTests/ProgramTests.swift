import Glibc
import Testing

/// Goal: the programs as an administrator meets them. Method: run them on loopback with free ports.
@Suite(
    .serialized,
    .enabled(if: Program.directory != nil, "the folder of the programs is only known when run by swift test"))
struct ProgramTests {
    private let directory: TemporaryDirectory
    private let node = hamburg + "/node[@id='n1']"

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("hierarchy.xml", hierarchyXML(a: "127.0.0.1", b: "127.0.0.1", c: "127.0.0.1"))
        try directory.write(
            "irislog.conf",
            "self 127.0.0.1\ndata \(directory.path)\nclient-port 0\npeer-port 0\nlisten 127.0.0.1 # only here\n")
    }

    @Test(
        "A server serves the command line client until SIGTERM, exits with 0, and has everything when it is back",
        arguments: ["1", "2"])
    func lifeOfAServer(version: String) throws {
        let name = "irislog\(version)"
        for round in 1...2 {
            let server = try Program(name, [directory.path])
            let ready = try #require(try server.line())
            #expect(ready.hasPrefix("\(name) ready client="))
            let port = ready.split(separator: " ")[2].dropFirst("client=".count)
            func client(_ arguments: String...) throws -> Program.Result {
                try Program("irislog", ["--protocol", version, "127.0.0.1:\(port)"] + arguments).result()
            }
            #expect(try client("ping") == Program.Result(code: 0, output: ""))
            let update = try client("update", node, "load", "\(round)", "-0.5", "--at", "\(round)000")
            #expect(update == Program.Result(code: 0, output: ""))
            #expect(try client("query", node + "/reading/text()").output == String(repeating: "-0.5\n", count: round))
            #expect(try client("query", "count(//reading)") == Program.Result(code: 0, output: "\(round)\n"))
            #expect(try client("export").output.hasPrefix("<country id=\"earth\""))
            #expect(try client("query", "/country[").code == 1)
            #expect(try client("query").code == 64)
            #expect(try client("update", node, "load", "many", "1").code == 64)
            server.terminate()
            #expect(try server.result().code == 0)
        }
    }

    @Test("SIGTERM also ends a server that waits for others", arguments: ["1", "2"])
    func terminatedWhileWaiting(version: String) throws {
        let silent = try DeadPort(listening: true)
        // Asked one after the other they would take 16 s.
        let nodes = (1...8).map { "<node id='n\($0)' host='127.0.0.1:\(silent.number)'/>" }.joined()
        try directory.write(
            "hierarchy.xml",
            "<country id='c' host='127.0.0.1'><region id='r' host='127.0.0.1'><site id='s' host='127.0.0.1'>\(nodes)"
                + "</site></region></country>")
        let server = try Program("irislog\(version)", [directory.path])
        let port = try #require(try server.line()).split(separator: " ")[2].dropFirst("client=".count)
        let client = try Program(
            "irislog", ["--protocol", version, "127.0.0.1:\(port)", "query", "/country/region/site/node/@id"])
        #expect(silent.waitForConnection())
        server.terminate()
        let start = ContinuousClock.now
        #expect(try server.result().code == 0)
        #expect(.now - start < .seconds(15))
        #expect(try client.result().code == 1)
    }

    @Test("The command line client explains itself, and refuses what it cannot do")
    func usage() throws {
        let help = try Program("irislog", ["--help"]).result()
        #expect(help.code == 0 && help.output.contains("EXAMPLES"))
        #expect(try Program("irislog", []).result().code == 64)
        #expect(try Program("irislog", ["nowhere", "ping"]).result().code == 64)
        #expect(try Program("irislog", ["--protocol", "3", "127.0.0.1:1", "ping"]).result().code == 64)
    }

    @Test("A server without its files or arguments says so and ends", arguments: ["irislog1", "irislog2"])
    func wrongStart(name: String) throws {
        #expect(try Program(name, []).result().code == 64)
        #expect(try Program(name, [directory.path + "/nothing"]).result().code == 1)
    }
}
