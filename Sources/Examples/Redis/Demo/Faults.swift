import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What is done to the versions while they are upgraded, and when: a value that is shown each status.
///
/// It befalls the one that is in the shadow of the other, written to and not read from: version 2 is killed while it is
/// filled; version 1, when version 2 answers the clients, is killed, killed again when it has caught up, and paused.
struct Faults {
    enum Fault: Sendable, Hashable {
        /// Its process is killed.
        case kill(Version)
        /// Its process is stopped for a while.
        case pause(Version)
    }

    private enum Step: CaseIterable { case killNew, killOld, killOldAgain, pauseOld, done }

    private static let ofTheOld: [Step: String] = [
        .killOld: "killed", .killOldAgain: "killed again", .pauseOld: "paused",
    ]

    private let old: Version
    private let new: Version
    private var step = Step.killNew
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
        if newStatus.state != .upgrading, step == .killNew {
            miss("version \(new) had migrated before it could be killed", next: .killOld)
        }
        if oldStatus.state == .retired, let fault = Self.ofTheOld[step] {
            miss("version \(old) had retired before it could be \(fault)", next: .done)
        }
        switch step {
        case .killNew where newStatus.stage == .migrate && (newStatus.migration?.copied ?? 0) > 0: return .kill(new)
        case .killOld where newStatus.state == .serving: return .kill(old)
        case .killOldAgain where oldStatus.isUpToDate: return .kill(old)
        case .pauseOld where oldStatus.isUpToDate: return .pause(old)
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

extension VersionStatus {
    /// Whether no write is missing here.
    fileprivate var isUpToDate: Bool { (writes?.missing ?? 0) == 0 }
}
