/// Reads processor times out of what Linux shows in `/proc`.
package enum ProcessorTime {
    /// Ticks of a process with all of its threads, in user and kernel, from `/proc/PID/stat`.
    package static func ticks(stat: String) -> Int? {
        // The name in parentheses may hold spaces and parentheses itself.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let kernel = Int(fields[12]) else { return nil }
        return user + kernel
    }

    /// The parent of a process, from `/proc/PID/stat`.
    package static func parent(stat: String) -> Int32? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// Ticks in which the machine's CPUs were not idle, from `/proc/stat`.
    package static func busyTicks(machine: String) -> Int? {
        guard let line = machine.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        // user nice system idle iowait irq softirq steal; guests are within user.
        let values = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int($0) }
        guard values.count == 8 else { return nil }
        return values.reduce(0, +) - values[3] - values[4]
    }
}
