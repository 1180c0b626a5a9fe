import ArgumentParser
import CFSProtocol1
import ONCRPC

struct Statistics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "What was said to other nodes and by them, and what was dropped, by reason.")
    @OptionGroup var options: ControlOptions
    @Flag(help: "Count calls and drops from zero again.") var clear = false

    private struct Shown: Encodable {
        struct Count: Encodable {
            let name: String
            let calls, callBytes, replies, replyBytes: UInt64
        }

        let seconds: Double
        let counts: [Count]
    }

    func run() async throws {
        let statistics = try await options.ask(Control1.statistics, clear)
        let shown = Shown(
            seconds: Double(statistics.interval) / 1e6,
            counts: statistics.all.map {
                Shown.Count(
                    name: $0.name, calls: $0.calls, callBytes: $0.callBytes, replies: $0.replies,
                    replyBytes: $0.replyBytes)
            })
        try options.show(shown) {
            shown.counts.map { count in
                let replies = count.callBytes + count.replyBytes > 0 || count.replies > 0
                let rest =
                    replies
                    ? ", \(count.callBytes) bytes; \(count.replies) answered, \(count.replyBytes) bytes" : ""
                return "\(count.name): \(count.calls)\(rest)"
            } + ["in \(shown.seconds) s"]
        }
    }
}

struct Stabilize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stabilize", abstract: "Has it look after the ring, or not.", aliases: ["stabilise"])
    @OptionGroup var options: ControlOptions
    @Argument(help: "on or off.") var state: Switch

    func run() async throws {
        let isOn = try await options.ask(Control1.setStabilize, state == .on)
        try options.show(["stabilize": isOn]) { ["stabilize \(isOn ? "on" : "off")"] }
    }
}

struct Replicate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicate", abstract: "Has it look after blocks, or not.")
    @OptionGroup var options: ControlOptions
    @Argument(help: "on or off.") var state: Switch

    func run() async throws {
        let isOn = try await options.ask(
            Control1.setReplicate, Control1.SetReplicate(isEnabled: state == .on))
        try options.show(["replicate": isOn]) { ["replicate \(isOn ? "on" : "off")"] }
    }
}

struct Exit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "exit", abstract: "Ends it.")
    @OptionGroup var options: ControlOptions

    func run() async throws { _ = try await options.ask(Control1.exit, XDRVoid()) }
}
