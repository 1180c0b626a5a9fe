import ArgumentParser
import CFSModel
import CFSProtocol1
import ONCRPC

struct Store: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "store", abstract: "How much it keeps.")
    @OptionGroup var options: ControlOptions

    private struct Shown: Encodable {
        let bytes, bytesMax, fragments, signedBlocks, unsignedBlocks: UInt64
    }

    func run() async throws {
        let store = try await options.ask(Control1.store, XDRVoid())
        let shown = Shown(
            bytes: store.bytes, bytesMax: store.bytesMax, fragments: store.fragments,
            signedBlocks: store.signedBlocks, unsignedBlocks: store.unsignedBlocks)
        try options.show(shown) {
            [
                "bytes           \(store.bytes) of \(store.bytesMax)", "fragments       \(store.fragments)",
                "signed blocks   \(store.signedBlocks)", "unsigned blocks \(store.unsignedBlocks)",
            ]
        }
    }
}

struct Blocks: AsyncParsableCommand {
    /// What gives blocks their names.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case content, key, none

        var kind: Gateway1.Kind {
            switch self {
            case .content: .contentHash
            case .key: .keyHash
            case .none: .unauthenticated
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "blocks", abstract: "Names of blocks that a virtual node keeps something of.")
    @OptionGroup var options: ControlOptions
    @Argument(help: "The virtual node.") var node: Int32 = 0
    @Option(help: "What gives them their names: content, key or none.") var kind = Kind.content

    func run() async throws {
        var names: [String] = []
        var last: ChordID?
        repeat {
            let question = Control1.Blocks(node: node, kind: kind.kind, after: last)
            let some = try await options.ask(Control1.blocks, question).names
            last = some.last
            names += some.map(\.description)
        } while last != nil
        try options.show(names) { names }
    }
}
