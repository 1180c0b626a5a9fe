import VersionKitModel
import VersionKitWire

/// What another router said, once its origin is proved.
enum FleetNews: Sendable {
    /// Which versions serve there, or how new its documents are.
    case versions(FleetMessage)
    /// What somebody found out about a release.
    case verdict(SpreadVerdict.Sealed)

    /// The application that it is about.
    var application: ApplicationID {
        switch self {
        case .versions(let message): message.application
        case .verdict(let sealed): sealed.verdict.application
        }
    }

    /// The words that such lines begin with.
    static let keywords: Set<String> = Set(FleetMessage.keywords + [SpreadVerdict.keyword])
}
