import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What is done to the versions while they are upgraded, and when: a value that is shown each status.
///
/// It befalls the one that is in the shadow of the other, written to and not read from: version 2 is killed when it begins
/// to be filled, and paused later; version 1, when version 2 answers the clients, is killed, and killed again while it is
/// given what it missed. Nothing here has to be in time: version 1 cannot retire before it has everything.
struct Faults {
    enum Fault: Sendable, Hashable {
        /// Its process is killed.
        case kill(Version)
        /// Its process is stopped for a while.
        case pause(Version)
    }

    private enum Step: CaseIterable { case killNew, pauseNew, killOld, killOldAgain, done }

    private static let ofTheNew: [Step: String] = [.killNew: "killed", .pauseNew: "paused"]
    private static let ofTheOld: [Step: String] = [.killOld: "killed", .killOldAgain: "killed again"]

    private let old: Version
    private let new: Version
    private var step = Step.killNew
    /// How many keys version 2 had when it was killed, about.
    private var copiedBefore: UInt64 = 0
    /// Faults that could not be: their moment had passed.
    private(set) var missed: [String] = []

    init(old: Version, new: Version) {
        self.old = old
        self.new = new
    }

    /// The fault whose time has come; ``happened()`` says that it could be brought about.
    mutating func due(_ status: NodeStatus?) -> Fault? {
        guard let application = status?.applications.first,
            let newStatus = application.versions.first(where: { $0.version == new }),
            let oldStatus = application.versions.first(where: { $0.version == old })
        else { return nil }
        if newStatus.state != .upgrading, let fault = Self.ofTheNew[step] {
            miss("version \(new) had migrated before it could be \(fault)", next: .killOld)
        }
        if oldStatus.state == .retired, let fault = Self.ofTheOld[step] {
            miss("version \(old) had retired before it could be \(fault)", next: .done)
        }
        let copied = newStatus.stage == .migrate ? newStatus.migration?.copied ?? 0 : 0
        switch step {
        case .killNew where copied > 0:
            copiedBefore = copied
            return .kill(new)
        case .pauseNew where copied > 2 * copiedBefore: return .pause(new)
        case .killOld where newStatus.state == .serving: return .kill(old)
        case .killOldAgain where (oldStatus.writes?.missing ?? 0) > 0: return .kill(old)
        default: return nil
        }
    }

    mutating func happened() {
        let all = Step.allCases
        if let index = all.firstIndex(of: step), index + 1 < all.count { step = all[index + 1] }
    }

    private mutating func miss(_ reason: String, next: Step) {
        missed.append(reason)
        step = next
    }
}
