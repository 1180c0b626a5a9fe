public import VersionKitModel

/// What happened on a node, as its journal has it.
public struct HistoryStatus: Codable, Sendable, Equatable {
    /// Something that an operator may want to know later.
    public struct Event: Codable, Sendable, Equatable {
        /// When, in milliseconds since 1970.
        public var time: Int64
        /// What.
        public var text: String

        /// An event.
        public init(time: Int64, text: String) { (self.time, self.text) = (time, text) }
    }

    /// The stages of one upgrade.
    public struct Upgrade: Codable, Sendable, Equatable {
        /// The application.
        public var application: ApplicationID
        /// The version that it was upgraded to.
        public var version: Version
        /// Its stages, in their order; of the one that is under way, so far.
        public var stages: [StageTime]

        /// An upgrade.
        public init(application: ApplicationID, version: Version, stages: [StageTime]) {
            (self.application, self.version, self.stages) = (application, version, stages)
        }
    }

    /// Events, the oldest first.
    public var events: [Event]
    /// Upgrades, by application and version.
    public var upgrades: [Upgrade]

    /// A history.
    public init(events: [Event], upgrades: [Upgrade]) { (self.events, self.upgrades) = (events, upgrades) }
}
