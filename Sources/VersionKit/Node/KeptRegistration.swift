import FoundationEssentials
import Glibc
import VersionKitControl
import VersionKitProcesses
import VersionKitRouter

/// A registered port on the disk, for the versiond that starts when this one was killed.
///
/// When a lease ends is kept by a clock that nobody can set, which goes on as long as the machine does. Only if that was off
/// in between the time of day has to do.
struct KeptRegistration: Codable, Sendable {
    let status: PortStatus
    /// When the lease ends, by the machine's time; `nil`: without a lease, or written by a versiond that kept no such time.
    private let end: MachineTime?

    /// - Parameter left: what is left of the lease; `nil`: there is none.
    init(_ status: PortStatus, endsIn left: Duration?, on now: MachineTime) {
        self.status = status
        end = left.map { MachineTime(boot: now.boot, time: now.time + $0) }
    }

    /// What is left of the lease; `nil`: there is none.
    func left(on now: MachineTime) -> Duration? {
        guard let endsAt = status.endsAt else { return nil }
        guard let end, !end.boot.isEmpty, end.boot == now.boot else { return .milliseconds(endsAt - NodeTime.ofDay) }
        return end.time - now.time
    }

    private enum Key: CodingKey { case end }

    // An entry reads as it does in a status, with one member more.
    init(from decoder: any Decoder) throws {
        status = try PortStatus(from: decoder)
        end = try decoder.container(keyedBy: Key.self).decodeIfPresent(MachineTime.self, forKey: .end)
    }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(end, forKey: .end)
    }
}

/// A time since the machine was started, and which start that was.
struct MachineTime: Codable, Sendable, Equatable {
    /// Empty if the kernel does not say.
    let boot: String
    let time: Duration

    /// Now.
    init() {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        self.init(boot: boot, time: .seconds(Int64(now.tv_sec)) + .nanoseconds(Int64(now.tv_nsec)))
    }

    init(boot: String, time: Duration) {
        self.boot = boot.filter { !$0.isWhitespace }
        self.time = time
    }
}
