/// The stages of an upgrade on one node, in their order: the paper's six, then what makes it lossless.
///
/// - Note: S 3.5 (figures 11 and 12 show the first six); R15, R16, R18.
public enum UpgradeStage: String, Sendable, Hashable, CaseIterable, Codable {
    /// The release is fetched from the node that advertised it, and checked.
    case download
    /// Its file system is laid out.
    case prepareFileSystem = "prep-fs"
    /// The isolation environment is created.
    case createEnvironment = "create-vm"
    /// The node's configuration of the application is copied in.
    case copyToEnvironment = "copy-to-vm"
    /// The environment boots and registers the application's ports.
    case configureApplication = "config-app"
    /// The application starts and becomes healthy.
    case running
    /// State is copied from the older version, while clients write to both.
    case migrate
    /// Peers hear of the version; it serves alone once nobody needs the older one.
    case serve
    /// The older version is stopped and removed.
    case retire

    /// What people read: the paper's names.
    public var title: String {
        switch self {
        case .download: "Download"
        case .prepareFileSystem: "Prep FS"
        case .createEnvironment: "Create VM"
        case .copyToEnvironment: "Copy to VM"
        case .configureApplication: "Config app"
        case .running: "Running"
        case .migrate: "Migrate"
        case .serve: "Serve"
        case .retire: "Retire"
        }
    }

    /// The stage after this one.
    public var next: UpgradeStage? {
        let all = Self.allCases
        guard let index = all.firstIndex(of: self), index + 1 < all.count else { return nil }
        return all[index + 1]
    }
}
