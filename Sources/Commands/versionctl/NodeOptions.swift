import ArgumentParser
import FoundationEssentials
import Glibc
import VersionKitControl
import VersionKitModel

/// How a node that is asked by TCP knows who asks.
struct TokenOptions: ParsableArguments {
    @Option(help: "The file with the token of nodes that are asked by TCP.", completion: .file())
    var tokenFile: String?

    /// A client of the node at `http://ADDRESS:PORT`.
    func client(_ url: String) throws -> ControlClient {
        let prefix = "http://"
        guard url.hasPrefix(prefix), let endpoint = Endpoint(String(url.dropFirst(prefix.count))) else {
            throw ValidationError("'\(url)' is not http://ADDRESS:PORT")
        }
        return ControlClient(endpoint: endpoint, token: try token())
    }

    private func token() throws -> String? {
        guard let tokenFile else { return nil }
        guard let data = FileManager.default.contents(atPath: tokenFile) else {
            throw ValidationError("\(tokenFile) cannot be read")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
    }
}

/// Where a node's versiond listens.
struct NodeOptions: ParsableArguments {
    static let socketDefault = "/run/versionkit/control.sock"

    @Option(name: .customLong("socket"), help: "The control socket of the node's versiond.", completion: .file())
    var path = NodeOptions.socketDefault

    @Option(name: .customLong("node"), help: "Instead of the socket: a node by TCP, http://ADDRESS:PORT.")
    var url: String?

    @OptionGroup var token: TokenOptions

    /// Asks the node; a refusal is printed and ends the command with 1.
    func ask(_ request: ControlRequest) throws -> ControlResponse {
        let response: ControlResponse
        do {
            response = try (url.map(token.client) ?? ControlClient(path: path)).ask(request)
        } catch let error as ControlError {
            complain("\(error)")
            throw ExitCode(69)
        }
        if case .refused(let reason) = response {
            complain(reason)
            throw ExitCode(1)
        }
        return response
    }

    /// Asks the node for something to be done, and prints what it says.
    func command(_ request: ControlRequest) throws {
        if case .done(let text) = try ask(request) { print(text) }
    }
}

/// Where several nodes' versiond listen.
struct FleetOptions: ParsableArguments {
    @Option(name: .customLong("socket"), help: "A node's control socket; may be repeated.", completion: .file())
    var paths: [String] = []

    @Option(name: .customLong("node"), help: "A node by TCP, http://ADDRESS:PORT; may be repeated.")
    var urls: [String] = []

    @OptionGroup var token: TokenOptions

    /// The clients of all nodes that were named, or of this one's.
    func clients() throws -> [(place: String, client: ControlClient)] {
        let paths = paths.isEmpty && urls.isEmpty ? [NodeOptions.socketDefault] : paths
        return try paths.map { ($0, ControlClient(path: $0)) } + urls.map { ($0, try token.client($0)) }
    }
}

/// Prints JSON for machines.
func printValue(_ value: some Encodable, onOneLine: Bool = false) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
        onOneLine ? [.sortedKeys, .withoutEscapingSlashes] : [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
    fflush(nil)
}
