/// Does something with each of these, so many at a time as there are processors.
func inParallel<Task: Hashable & Sendable, Outcome: Sendable>(
    _ tasks: [Task], _ body: @escaping @Sendable (Task) throws -> Outcome
) async rethrows -> [Task: Outcome] {
    try await withThrowingTaskGroup(of: (Task, Outcome).self) { group in
        // The concurrency's own threads are as many as the processors, and none of these waits for another.
        for task in tasks { group.addTask { (task, try body(task)) } }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
}
