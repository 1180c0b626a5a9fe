import Glibc

/// Figures of the host itself, as sensors of a node.
public enum HostReadings {
    /// Load average, available memory in KiB, bytes received and sent over all interfaces but the loopback one.
    ///
    /// What the kernel does not tell is left out.
    public static func read() -> [(sensor: String, value: String)] {
        var readings: [(sensor: String, value: String)] = []
        if let load = text("/proc/loadavg").flatMap(loadAverage) { readings.append(("load", load)) }
        if let memory = text("/proc/meminfo").flatMap(availableMemory) { readings.append(("memory", memory)) }
        if let (received, sent) = text("/proc/net/dev").flatMap(traffic) {
            readings.append(("received", String(received)))
            readings.append(("sent", String(sent)))
        }
        return readings
    }

    static func loadAverage(_ text: String) -> String? {
        text.split(separator: " ").first.map(String.init)
    }

    static func availableMemory(_ text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            let words = line.split(separator: " ")
            return words.count > 1 ? String(words[1]) : nil
        }
        return nil
    }

    static func traffic(_ text: String) -> (received: UInt64, sent: UInt64)? {
        var received: UInt64 = 0
        var sent: UInt64 = 0
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].drop { $0 == " " }
            let columns = line[line.index(after: colon)...].split(separator: " ").map { UInt64($0) ?? 0 }
            guard name != "lo", columns.count > 8 else { continue }
            received &+= columns[0]
            sent &+= columns[8]
        }
        return (received, sent)
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? Files.read(path, limit: Limits.configurationBytes) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
