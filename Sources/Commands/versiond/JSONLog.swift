import FoundationEssentials
import Glibc
import Logging

/// A log for machines: on standard error, one JSON object on a line.
///
/// `time` is in milliseconds since 1970; `level`, `label`, `message` are texts, `metadata` an object of texts.
struct JSONLog: LogHandler {
    private struct Line: Encodable {
        var time: Int64
        var level: String
        var label: String
        var message: String
        var metadata: [String: String]?
    }

    let label: String
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let all = metadata.merging(event.metadata ?? [:]) { _, newer in newer }
        let line = Line(
            time: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000, level: event.level.rawValue,
            label: label,
            message: "\(event.message)", metadata: all.isEmpty ? nil : all.mapValues { "\($0)" })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in it cannot be encoded.
        guard var bytes = try? encoder.encode(line) else { return }
        bytes.append(UInt8(ascii: "\n"))
        // In one call, so that lines of several threads do not mix. There is nobody to tell if it fails.
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
