public import VersionKitModel
public import VersionKitUpgrade

/// Why a version is where it is on a node, and what happens next: `versionctl explain`.
///
/// Pure: made of a ``NodeStatus``, so it can be had of every node that answers.
public struct UpgradeExplanation: Codable, Sendable, Equatable {
    /// The application.
    public var application: ApplicationID
    /// The version.
    public var version: Version
    /// Where it stands.
    public var state: VersionStatus.State
    /// The stage that is under way, or in which it failed.
    public var stage: UpgradeStage?
    /// Why it is there.
    public var why: String
    /// What failed, if something did.
    public var failed: String?
    /// What happens next, and what has to happen before.
    public var next: String

    /// The explanations of all versions on a node, or of one application's; those that are gone for good are left out.
    public static func all(of status: NodeStatus, application: ApplicationID? = nil) -> [UpgradeExplanation] {
        status.applications.filter { application == nil || $0.application == application }.flatMap { one in
            one.versions.filter { $0.state != .retired }.map { UpgradeExplanation(of: $0, in: one) }
        }
    }

    private init(of version: VersionStatus, in application: ApplicationStatus) {
        self.application = application.application
        self.version = version.version
        (state, stage) = (version.state, version.stage)
        // One on its way says there what it waits for.
        failed = version.state == .upgrading ? nil : version.reason
        switch version.state {
        case .upgrading: (why, next) = Self.upgrading(version)
        case .serving: (why, next) = Self.serving(version, in: application)
        case .draining where version.isDismissed == true:
            (why, next) = (
                "an operator wants it gone, so it gets writes only",
                "it is compared with the newer one once more, and stopped"
            )
        case .draining:
            why =
                "a newer version serves, and no client needed this one's answer for a whole period: it gets writes only"
            next = "it is stopped when fewer messages of peers than the threshold came for a period"
        case .stopped:
            (why, next) = (
                "a newer version takes its place, and only one of them runs at a time",
                "it goes when the newer one is healthy, and is started again if that one is not"
            )
        case .failed:
            why =
                application.serving.max().map { "it was taken away, and version \($0) serves" }
                ?? "it was taken away, and no other version serves at the moment"
            next =
                version.stage == .download
                ? "it is fetched again as soon as a peer advertises it and the pause after a failure is over"
                : "nothing, until a release with a higher number is published: versionctl release publish"
        case .retired: (why, next) = ("a newer version took over", "nothing")
        }
        if let trouble = version.writes?.trouble { failed = failed ?? trouble }
        if let report = version.lastReport, report.milliseconds == nil { failed = failed ?? report.failure }
        if let obstacle = application.trust?.trouble.first, version.state == .serving {
            next += "; no new release begins meanwhile: \(obstacle)"
        }
    }

    private static func upgrading(_ version: VersionStatus) -> (String, String) {
        if version.spread?.role == .waiting {
            return (
                "the release is tried out on other nodes first",
                "it begins when enough of them vouch for it, or versionctl promote is used"
            )
        }
        if let reason = version.reason {
            return (reason, "it goes on by itself; versionctl rollback gives it up")
        }
        let after = version.stage?.next.map { "then comes \($0.title)" } ?? "then it serves"
        let progress = version.migration.map { ", \($0.copied) records copied of \($0.examined) looked at" } ?? ""
        let why =
            switch version.stage {
            case .download: "its release is fetched, if it is not here yet, and checked\(download(version))"
            case .prepareFileSystem: "its file system is laid out"
            case .createEnvironment: "its environment is made"
            case .copyToEnvironment: "this node's configuration is copied into its environment"
            case .configureApplication: "its environment boots and registers the application's ports"
            case .running: "it was started, and is not healthy yet"
            case .migrate: "state is copied from the older version, while clients write to both\(progress)"
            case .serve, .retire, nil: "it takes over from the older version"
            }
        return (why, "\(after); if the stage fails, it is taken away and the older version serves on")
    }

    private static func serving(_ version: VersionStatus, in application: ApplicationStatus) -> (String, String) {
        if version.reason != nil {
            return (
                "it stands still, as what it was to be put back to is not there in full",
                "that is tried again; versionctl rollback --snapshot asks for another snapshot"
            )
        }
        if version.isDismissed == true {
            return (
                "a newer version serves, and an operator wants this one gone",
                "it is drained within a second, or when all that it has is copied"
            )
        }
        if let writes = version.writes, writes.missing > 0 {
            return (
                "it serves, and lacks \(writes.missing) writes or keys that others have",
                "they are brought to it; until then it is not read from where it matters"
            )
        }
        if let report = version.lastReport, report.milliseconds == nil {
            return (
                "it serves, and what the version before it has is copied to it once more: \(report.progress.copied) records of "
                    + "\(report.progress.examined) looked at were missing",
                "the version before it stays until that succeeds; if it fails it is tried again after a pause, and versionctl "
                    + "retire, said twice, does without it"
            )
        }
        let newest = application.serving.max()
        if let newest, version.version < newest {
            return (
                "version \(newest) serves, too, and this one is still needed",
                "it is drained when no peer is left that runs only it, and no client needed it for a period; "
                    + behind(newest, application)
            )
        }
        if let spread = version.spread, spread.role == .canary, version.stage != nil {
            return (
                "it is tried out on this node; \(spread.vouched ?? 0) of the \(spread.needed ?? 0) nodes that have to vouch "
                    + "for it do",
                "this node vouches for it when it has served for its time without trouble, or versionctl promote is used; "
                    + "what fails is taken away on all nodes"
            )
        }
        guard version.stage != nil else { return ("clients and peers use it, and no older version is left", "nothing") }
        return (
            "clients and peers use it, and an older version runs beside it",
            "the older one retires when nobody needs it: " + behind(version.version, application)
        )
    }

    private static func download(_ version: VersionStatus) -> String {
        version.download.map { ": \($0.bytes) of \($0.bytesWanted) bytes are here" } ?? ""
    }

    private static func behind(_ newest: Version, _ application: ApplicationStatus) -> String {
        let peers = application.peers.filter { !$0.value.contains { $0 >= newest } }.keys.sorted()
        return peers.isEmpty
            ? "no peer is known that runs only an older one"
            : "only an older one run \(peers.joined(separator: ", ")) (versionctl forget-peer, if gone for good; versionctl retire, if it need not wait for them)"
    }

    /// Some lines for people, without an end of line behind the last one.
    public var text: String {
        var lines = ["\(application) \(version): \(state.rawValue)\(stage.map { " (\($0.title))" } ?? "")"]
        lines.append("  why:    \(why)")
        if let failed { lines.append("  failed: \(failed)") }
        lines.append("  next:   \(next)")
        return lines.joined(separator: "\n")
    }
}
