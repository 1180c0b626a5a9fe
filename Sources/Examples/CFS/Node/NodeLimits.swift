/// Bounds of a process of nodes in one place.
public enum NodeLimits {
    /// Questions to other processes that wait for their answers.
    public static let openQuestions = 2048
    /// Others' questions that are being answered: those that look up the way of somebody.
    public static let openAnswers = 1024
    /// What clients ask for at a time, all of them together.
    public static let operations = 4096
    /// How long a client's store or fetch may take (CFS 2004: 60 s for a store).
    public static let operationTime = Duration.seconds(60)
    /// How long another node's question may: it asked again and gave up long before.
    public static let answerTime = Duration.seconds(60)
    /// How often it is looked whether one of them takes longer.
    static let expiryInterval = Duration.seconds(1)
    /// How long a pause in the care for ring or blocks is looked past before it is looked again.
    static let pauseInterval = Duration.seconds(1)
    /// Processes whose round trips are kept in mind.
    public static let roundTrips = 1024
    /// How long is waited at most before another process is asked the same again, the first time.
    public static let longestFirstWait = Duration.seconds(2)
}
