import ArgumentParser
import Glibc
import IrisLogCore
import IrisLogProtocol1
import IrisLogProtocol2

/// The command line client of both versions.
@main
struct IrisLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "irislog",
        abstract: "Asks an IrisLog server, or stores a reading there.",
        usage: """
            irislog [--protocol 1|2] HOST:PORT query XPATH
            irislog [--protocol 1|2] HOST:PORT update PATH SENSOR SEQUENCE VALUE
            irislog [--protocol 1|2] HOST:PORT ping
            irislog [--protocol 1|2] HOST:PORT export
            """,
        discussion: """
            Each item of an answer is printed on a line of its own. The exit code is 0 if the server did what it was \
            asked, 1 if it refused or did not answer, 64 if the arguments are wrong.

            EXAMPLES:
              irislog 10.99.1.1:7000 query "count(//node)"
              irislog 10.99.1.1:7000 query "/country/region/site/node/current"
              NODE="/country[@id='de']/region[@id='n']/site[@id='hh']/node[@id='n2']"
              irislog --protocol 2 10.99.1.2:7000 query "$NODE/current/text()"
              irislog --protocol 2 10.99.1.2:7000 update "$NODE" load 17 0.53
              irislog --protocol 2 10.99.1.1:7000 export > backup.xml
            """)

    /// What the server is asked for.
    enum Verb: String, CaseIterable, ExpressibleByArgument {
        case query, update, ping, export

        /// The names of its operands.
        var operands: [String] {
            switch self {
            case .query: ["XPATH"]
            case .update: ["PATH", "SENSOR", "SEQUENCE", "VALUE"]
            case .ping, .export: []
            }
        }
    }

    /// The version whose protocol is spoken.
    enum ProtocolVersion: String, CaseIterable, ExpressibleByArgument {
        case one = "1"
        case two = "2"
    }

    @Option(name: .customLong("protocol"), help: "The version of the server.")
    var version = ProtocolVersion.one

    @Option(help: ArgumentHelp("How long to wait for the connection and for the reply.", valueName: "seconds"))
    var timeout = 10

    @Option(help: ArgumentHelp("When the value was measured, in milliseconds since 1970; now if not given."))
    var at: UInt64?

    @Argument(help: "The server's address and its port for clients.")
    var server: String

    @Argument(help: "What to do: query, update, ping or export.")
    var verb: Verb

    // A value may start with a dash.
    @Argument(parsing: .allUnrecognized, help: "What the verb needs.")
    var operands: [String] = []

    func validate() throws {
        guard HostAddress(server)?.port != nil else { throw ValidationError("HOST:PORT is not an address: \(server)") }
        guard (1...3600).contains(timeout) else { throw ValidationError("the time-out is 1 to 3600 seconds") }
        guard operands.count == verb.operands.count else {
            let expected = verb.operands.isEmpty ? "nothing else" : verb.operands.joined(separator: " ")
            throw ValidationError("\(verb.rawValue) takes \(expected)")
        }
        if verb == .update, UInt64(operands[2]) == nil {
            throw ValidationError("SEQUENCE is not a number: \(operands[2])")
        }
    }

    func run() async throws {
        let client = try await connect()
        do {
            try await perform(with: client)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func connect() async throws -> any IrisLogClient {
        guard let address = HostAddress(server), let port = address.port else { throw ExitCode.validationFailure }
        let patience = Duration.seconds(timeout)
        return switch version {
        case .one: try await IrisLogClient1.connect(host: address.address, port: port, timeout: patience)
        case .two: try await IrisLogClient2.connect(host: address.address, port: port, timeout: patience)
        }
    }

    private func perform(with client: any IrisLogClient) async throws {
        switch verb {
        case .query: for item in try await client.query(operands[0]) { print(item) }
        case .update:
            try await client.update(
                path: operands[0], sensor: operands[1], sequence: UInt64(operands[2]) ?? 0, at: at ?? Self.now,
                value: operands[3])
        case .ping: try await client.ping()
        case .export: print(try await client.export())
        }
    }

    /// Milliseconds since 1970.
    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
