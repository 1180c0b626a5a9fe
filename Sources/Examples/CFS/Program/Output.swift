import Foundation
import Glibc
import NIOCore

/// What the program prints.
enum Output {
    /// A line for people, beside the output.
    static func say(_ line: String) { error("\(line)\n") }

    /// Text beside the output.
    static func error(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// A value for machines: one line, keys sorted.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        write(Array(try encoder.encode(value)) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    /// A line of the output, at once.
    static func line(_ line: String) { write(Array("\(line)\n".utf8), to: STDOUT_FILENO) }

    /// Bytes as they are.
    static func bytes(_ bytes: ByteBuffer) { write(Array(bytes.readableBytesView), to: STDOUT_FILENO) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads it.
            guard count > 0 else { exit(Failure.disk) }
            rest = rest.dropFirst(count)
        }
    }

    /// Bytes for people.
    static func size(_ bytes: UInt64) -> String {
        bytes < 1_000_000 ? "\(bytes) bytes" : String(format: "%.1f MB", Double(bytes) / 1_000_000)
    }

    /// Seconds since the beginning of 1970.
    static var now: UInt32 { UInt32(clamping: time(nil)) }
}

/// Says how far long work is, on a line that is written over, if somebody looks.
final class Progress {
    private let isShown: Bool
    private var last: ContinuousClock.Instant?
    private var width = 0

    init(isShown: Bool) { self.isShown = isShown }

    /// Says it, five times a second at most.
    func update(_ line: @autoclosure () -> String) {
        guard isShown else { return }
        let now = ContinuousClock.now
        if let last, now - last < .milliseconds(200) { return }
        last = now
        show(line())
    }

    /// Clears the line.
    func end() {
        guard isShown, width > 0 else { return }
        show("")
        Output.error("\r")
    }

    private func show(_ line: String) {
        Output.error("\r" + line.padding(toLength: max(width, line.count), withPad: " ", startingAt: 0))
        width = line.count
    }
}
