package import IrisLogFleet
import ExampleFleet

/// The steps of a demonstration: how long each took, and what clients did meanwhile. Time is an argument.
package struct StepLog: Sendable {
    /// One step.
    package struct Step: Codable, Sendable, Equatable {
        package var title: String
        /// Its beginning, since that of the first one.
        package var startMilliseconds: Int
        package var milliseconds: Int
        package var requests: Int
        package var failed: Int
        package var updates: Int

        package init(
            title: String, startMilliseconds: Int, milliseconds: Int, requests: Int, failed: Int, updates: Int
        ) {
            self.title = title
            self.startMilliseconds = startMilliseconds
            self.milliseconds = milliseconds
            self.requests = requests
            self.failed = failed
            self.updates = updates
        }
    }

    package private(set) var steps: [Step] = []
    private var current: (title: String, start: Duration, load: LoadNumbers)?

    package init() {}

    /// A step begins, and the one before it is over.
    package mutating func begin(_ title: String, at time: Duration, _ load: LoadNumbers) {
        end(at: time, load)
        current = (title, time, load)
    }

    /// The last step is over.
    package mutating func end(at time: Duration, _ load: LoadNumbers) {
        guard let current else { return }
        steps.append(
            Step(
                title: current.title, startMilliseconds: Int(current.start.inSeconds * 1000),
                milliseconds: Int((time - current.start).inSeconds * 1000),
                requests: load.requests - current.load.requests, failed: load.failed - current.load.failed,
                updates: load.updates - current.load.updates))
        self.current = nil
    }

    /// A table for people.
    package var text: String {
        let width = (steps.map(\.title.count).max() ?? 0) + 2
        let head =
            pad("step", width) + ["from s", "took s", "requests", "failed", "updates"].map { pad($0, 10) }.joined()
        let rows = steps.map { step in
            let seconds = [step.startMilliseconds, step.milliseconds].map { (Double($0) / 1000).tenths }
            let counts = [step.requests, step.failed, step.updates].map(String.init)
            return pad(step.title, width) + (seconds + counts).map { pad($0, 10) }.joined()
        }
        return ([head] + rows).joined(separator: "\n")
    }
}
