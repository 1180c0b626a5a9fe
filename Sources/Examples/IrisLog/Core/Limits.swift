/// Every bound of the application in one place: nothing from outside grows without one of these.
public enum Limits {
    /// Bytes of a query, and of a line of the text protocol.
    public static let lineBytes = 8 * 1024
    /// Bytes of a frame of the binary protocol whose kind needs no document.
    public static let requestBytes = 16 * 1024
    /// Bytes of one reading's value.
    public static let valueBytes = 4 * 1024
    /// Bytes of any XML document taken in, and of a frame of the binary protocol.
    public static let documentBytes = 16 * 1024 * 1024
    /// Bytes of all items of one answer; leaves room for the frame around them.
    public static let answerBytes = 12 * 1024 * 1024
    /// Items of one answer.
    public static let answerItems = 500_000
    /// Characters of an id or a sensor's name.
    public static let nameCharacters = 64
    /// Readings kept for each node; the oldest are dropped.
    public static let readingsPerNode = 20_000
    /// Different sensors of one node.
    public static let sensorsPerNode = 256
    /// Elements of the hierarchy file.
    public static let hierarchyElements = 10_000
    /// Servers a request may pass before it is refused.
    public static let hops = 8
    /// libxml2's evaluation steps for one expression.
    public static let xpathOperations: UInt = 2_000_000
    /// Size of the update log at which it is folded into the snapshot.
    public static let logBytes = 8 * 1024 * 1024
    /// Bytes of one record of the update log.
    public static let recordBytes = 16 * 1024
    /// Bytes of one server's data as XML; what would go beyond is refused.
    public static let databaseBytes = 256 * 1024 * 1024
    /// Bytes of a file this server wrote itself: the snapshot, the log. More than ever gets into one.
    public static let snapshotBytes = 512 * 1024 * 1024
    /// Bytes of the configuration file.
    public static let configurationBytes = 64 * 1024
    /// Seconds after which a silent connection of a client is closed: long enough for whoever asks now and then.
    public static let clientIdleSeconds = 3600
    /// Seconds after which a silent connection of another server is closed.
    public static let peerIdleSeconds = 30
    /// Requests to other servers at the same time, for one query.
    public static let parallelRequests = 64
    /// Connections open at the same time, for each listener.
    public static let connections = 500

    /// How long the server that a client asks waits for another one.
    public static let patience = Duration.seconds(2)
}
