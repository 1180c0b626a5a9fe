/// When it is worth while to look for more before sleeping.
///
/// Looking in vain costs a processor a whole ``Limits/busyPollTime``. So after a vain look turns go by without one, twice
/// as many each time: whoever is rarely asked, or by whoever thinks for longer, spends next to nothing on it. A look that
/// found something makes the next vain one count as the first again.
///
/// A value without effects: ``BusyPoll`` and ``RelayLoop`` do the looking.
package struct BusyPollPace: Sendable, Equatable {
    /// What to do at the end of a turn of the loop.
    package enum Advice: Sendable, Equatable {
        case look, sleep
    }

    /// How many turns at most go by without a look.
    package static let pauseMax = 1024
    /// With more events than this in one turn the loop is busy enough: the next ones are there already when it asks.
    package static let eventsMax = 2

    /// Turns that are still to go by, and how many it will be after the next vain look.
    private var pause = 0
    private var nextPause = 1

    /// At first every turn is worth a look.
    package init() {}

    /// A turn of the loop ends.
    ///
    /// - Parameter events: how much happened in it. A turn of a busy loop is not one that goes by.
    package mutating func turnEnded(events: Int) -> Advice {
        guard events <= Self.eventsMax else { return .sleep }
        guard pause == 0 else {
            pause -= 1
            return .sleep
        }
        return .look
    }

    /// What was advised has been done.
    ///
    /// - Parameter found: whether something came within the time.
    package mutating func looked(found: Bool) {
        guard !found else {
            nextPause = 1
            return
        }
        pause = nextPause
        nextPause = min(2 * nextPause, Self.pauseMax)
    }
}
