import ArgumentParser
import CFSModel
import CFSProtocol1
import ONCRPC

/// A node as JSON and as a line.
struct ShownNode: Encodable {
    let id: String
    let host: String
    let port: Int32
    let virtualNode: Int32
    let isAlive: Bool
    let deadSeconds: Int32
    let microseconds: UInt32
    let answers: UInt32

    init(_ node: Control1.Node) {
        id = node.id.description
        (host, port, virtualNode) = (node.host, node.port, node.virtualNode)
        (isAlive, deadSeconds) = (node.isAlive, node.deadTime)
        (microseconds, answers) = (node.latency, node.answers)
    }

    var line: String {
        let place = "\(String(repeating: "0", count: 40 - id.count))\(id) \(host):\(port).\(virtualNode)"
        if !isAlive { return "\(place) dead for \(deadSeconds) s" }
        return answers > 0 ? "\(place) \(microseconds) us" : place
    }
}

struct Identities: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ids", abstract: "Its virtual nodes.")
    @OptionGroup var options: ControlOptions

    func run() async throws {
        let nodes = try await options.ask(Control1.ownNodes, XDRVoid()).nodes.map { ShownNode($0) }
        try options.show(nodes) { nodes.map(\.line) }
    }
}

struct LocationTable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loctable", abstract: "The nodes that a virtual node has in mind, itself first.")
    @OptionGroup var options: ControlOptions
    @Argument(help: "The virtual node.") var node: Int32 = 0

    func run() async throws {
        let nodes = try await options.ask(Control1.locationTable, node).nodes.map { ShownNode($0) }
        try options.show(nodes) { nodes.map(\.line) }
    }
}

struct Successors: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "successors", abstract: "A virtual node and those that follow it on the ring.",
        aliases: ["succlist"])
    @OptionGroup var options: ControlOptions
    @Argument(help: "The virtual node.") var node: Int32 = 0

    func run() async throws {
        let nodes = try await options.ask(Control1.successors, node).nodes.map { ShownNode($0) }
        try options.show(nodes) { nodes.map(\.line) }
    }
}
