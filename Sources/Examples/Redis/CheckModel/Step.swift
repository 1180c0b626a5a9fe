/// Commands that are sent together: one, some on the same key one after the other, or a transaction on several keys.
package struct Step: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var key: String
        package var command: Command

        package init(_ key: String, _ command: Command) {
            self.key = key
            self.command = command
        }
    }

    package var items: [Item]
    /// Whether they go between `MULTI` and `EXEC`: all of them happen or none.
    package var isTransaction: Bool

    package init(_ items: [Item], isTransaction: Bool = false) {
        self.items = items
        self.isTransaction = isTransaction
    }

    package var keys: Set<String> { Set(items.map(\.key)) }

    /// The requests, as they are sent.
    package var requests: [[String]] {
        let words = items.map { $0.command.words($0.key) }
        return isTransaction ? [["MULTI"]] + words + [["EXEC"]] : words
    }

    /// How many of the requests may change something, as clients count their writes.
    package var writes: Int { isTransaction ? 1 : items.filter(\.command.isWrite).count }

    /// The replies to the items alone, or why they are not what a Redis would answer. An error that it answers counts
    /// as a failure too.
    func itemReplies(_ replies: [Reply]) -> Result<[Reply], Problem> {
        guard isTransaction else { return .success(replies) }
        guard replies.first == .ok, replies.dropFirst().dropLast().allSatisfy({ $0 == .queued }) else {
            return .failure(Problem("a transaction was answered \(replies)"))
        }
        guard case .array(let results?)? = replies.last, results.count == items.count else {
            return .failure(Problem("EXEC was answered \(replies.last.map { "\($0)" } ?? "nothing")"))
        }
        return .success(results)
    }
}

/// Why a step failed.
package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
