/// The messages of a machine's management console: datagrams whose numbers have the byte order of the node. A request has
/// a fixed length; of an answer there may be several parts.
enum ConsoleMessage {
    private static let magic: UInt32 = 0xCAFE_BABE
    private static let version: UInt32 = 2
    /// The longest text, in bytes, with the zero at its end.
    static let textMax = 512
    /// The longest message that comes.
    static let bytesMax = 12 + textMax

    /// Something that a machine can be told to do.
    enum Request: Hashable, Sendable {
        case version
        /// Everything inside stands still, the kernel included, until ``go``.
        case stop
        case go
        /// The kernel writes to its disks what it has not written yet, soon.
        case sync
        /// The machine is switched off at once.
        case halt

        var text: String {
            switch self {
            case .version: "version"
            case .stop: "stop"
            case .go: "go"
            case .sync: "sysrq s"
            case .halt: "halt"
            }
        }
    }

    /// A part of an answer.
    struct Answer: Hashable, Sendable {
        /// Whether the machine could not do it; the text says why.
        var isError: Bool
        /// Whether another part follows.
        var hasMore: Bool
        var text: String
    }

    /// What a machine tells by itself.
    enum Notice: UInt32, Sendable {
        /// Its console can be spoken to.
        case console = 0
        /// Its kernel has failed.
        case panic = 1
        case hang = 2
        /// A process inside has written something to `/proc/mconsole`.
        case user = 3
    }

    /// Whether a machine only says that it is already as it was told to be.
    static func isAlreadySo(_ request: Request, _ answer: String) -> Bool {
        switch request {
        case .stop: answer.hasPrefix("Already stopped")
        case .go: answer.hasPrefix("Not stopped")
        case .version, .sync, .halt: false
        }
    }

    static func encode(_ request: Request) -> [UInt8] {
        let text = Array(request.text.utf8)
        return numbers([magic, version, UInt32(text.count)]) + text
            + [UInt8](repeating: 0, count: textMax - text.count)
    }

    /// `nil`: this is no answer.
    static func answer(_ bytes: [UInt8]) -> Answer? {
        guard bytes.count >= 12 else { return nil }
        // Some machines count the zero at the end, others do not.
        let text = bytes[12...].prefix(Int(number(bytes, at: 8))).prefix { $0 != 0 }
        return Answer(
            isError: number(bytes, at: 0) != 0, hasMore: number(bytes, at: 4) != 0,
            text: String(decoding: text, as: UTF8.self))
    }

    /// `nil`: this is no notice that is known.
    static func notice(_ bytes: [UInt8]) -> Notice? {
        guard bytes.count >= 16, number(bytes, at: 0) == magic else { return nil }
        return Notice(rawValue: number(bytes, at: 8))
    }

    private static func numbers(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
    }

    private static func number(_ bytes: [UInt8], at index: Int) -> UInt32 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index, as: UInt32.self) }
    }
}
