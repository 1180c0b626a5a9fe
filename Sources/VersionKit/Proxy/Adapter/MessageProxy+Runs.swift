public import DequeModule
public import NIOCore
public import VersionKitModel
public import VersionKitWire

/// The short way: requests which need no look inside travel together.
extension MessageProxy {
    // MARK: Requests

    /// Begins a run with as many requests as are there and go the same way.
    ///
    /// - Returns: their bytes; 0 if the first one is not complete; `nil` if it has to be looked at.
    @inlinable
    mutating func takeRun(
        from client: Version, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) -> Int? {
        guard connection.isCalm, silentReplies == 0 else { return nil }
        let isShared = connection.canShare && !takesMuch && !hasOwnConnections && adapter.sharesConnections(session)
        guard isShared || !isSharedOwed else { return nil }
        let requestsMax = isShared ? sharedRequestsMax : limits.pipelinedRequestsMax
        let upcoming = runs.last?.end ?? delivered
        let alone = connection.versions.count == 1 ? connection.versions.max : nil
        var marks: [KeyMark] = []
        var isWrite: Bool?
        var count = 0
        var length = 0
        while upcoming + count - delivered < requestsMax {
            guard let glance = adapter.glance(at: &data, from: client, in: session) else {
                if count == 0 { return 0 }
                break
            }
            let way: Bool?
            switch glance {
            case .unusual: way = nil
            case .other: way = alone == nil ? nil : false
            case .read: way = false
            case .write(let mark):
                way = alone == nil
                // Once is enough for writes to one key.
                if way == true, isWrite ?? true, marks.last != mark { marks.append(mark) }
            }
            guard let way else {
                if count == 0 { return nil }
                break
            }
            guard isWrite == nil || isWrite == way else { break }
            isWrite = way
            count += 1
            length = data.peekedBytes
        }
        guard count > 0 else { return 0 }
        let solo = alone ?? (isWrite == true ? nil : connection.versions.newestReading)
        guard isReachable(solo, isShared, connection), let original = data.prefix(length) else { return nil }
        begin(
            Run(
                first: upcoming, count: count, from: client, original: original, versions: connection.versions,
                solo: solo, isShared: isShared, isOrdered: solo == nil),
            marks, &connection)
        return length
    }

    @inlinable
    var hasOwnConnections: Bool { lanes.contains { !$0.isShared } }

    /// Whether those who are asked have been spoken to before, so that no greeting is due, or need none.
    @inlinable
    func isReachable(_ solo: Version?, _ isShared: Bool, _ connection: ConnectionHandler) -> Bool {
        if let solo { return isReachable(solo, isShared) }
        return connection.versions.newestReading != nil
            && connection.versions.allSatisfy { isReachable($0, isShared) }
    }

    @inlinable
    func isReachable(_ version: Version, _ isShared: Bool) -> Bool {
        isShared ? !adapter.announcesClient(to: version) : lane(of: version) != nil
    }

    @inlinable
    mutating func begin(_ run: Run, _ marks: [KeyMark], _ connection: inout ConnectionHandler) {
        runs.append(run)
        if run.isOrdered { connection.order(run.first, by: marks) } else { startRuns(&connection) }
    }

    /// A run of writes has its turn.
    @inlinable
    mutating func grantRun(_ number: Int, _ connection: inout ConnectionHandler) {
        guard let index = runs.firstIndex(where: { $0.first == number }) else { return }
        runs[index].isGranted = true
        startRuns(&connection)
    }

    /// Sends the runs whose turn it is: the first that has to wait holds up those after it.
    @inlinable
    mutating func startRuns(_ connection: inout ConnectionHandler) {
        guard connection.isCalm else { return expand(&connection) }
        for index in runs.indices where !runs[index].isStarted {
            guard runs[index].isGranted else { return }
            runs[index].isStarted = true
            if let solo = runs[index].solo {
                send(runs[index], to: solo, &connection)
            } else {
                for version in runs[index].versions {
                    runs[index].answers.append(Run.Answer(version: version))
                    send(runs[index], to: version, &connection)
                }
            }
        }
    }

    @inlinable
    mutating func send(_ run: Run, to version: Version, _ connection: inout ConnectionHandler) {
        if run.isShared {
            connection.enqueueShared(run.original, to: version, replies: run.count)
        } else {
            connection.enqueue(run.original, to: version)
        }
        let known = lane(of: version, isShared: run.isShared)
        if known == nil { lanes.append(Lane(version: version, isShared: run.isShared)) }
        lanes[known ?? lanes.count - 1].owed.append(run.first)
    }

    // MARK: Replies

    /// Replies of one version, as many as are there for the run that it answers.
    @inlinable
    mutating func handleRunReply(
        _ lane: Int, _ data: inout PeekBuffer, _ connection: inout ConnectionHandler
    ) throws(ProxyError) -> Int {
        let (version, isShared) = (lanes[lane].version, lanes[lane].isShared)
        guard let number = lanes[lane].owed.first, let index = runs.firstIndex(where: { $0.first == number }) else {
            preconditionFailure("version \(version) owes a reply to a run that is not there")
        }
        let place = runs[index].answers.firstIndex { $0.version == version }
        let known = place.map { runs[index].answers[$0].count } ?? 0
        let missing = runs[index].count - runs[index].delivered - known
        var count = 0
        var length = 0
        while count < missing, let isPlain = adapter.glanceReply(at: &data, from: version) {
            guard isPlain else {
                guard count == 0 else { break }
                expand(&connection)
                data.resetPeek()
                return try handleReply(from: version, isShared: isShared, &data, &connection)
            }
            count += 1
            length = data.peekedBytes
        }
        guard count > 0, let bytes = data.prefix(length) else { return 0 }
        if isShared {
            connection.noteSharedReplies(count)
            if length > limits.sharedReplyBytesMax { takesMuch = true }
        }
        if count == missing {
            lanes[lane].owed.removeFirst()
            sharedRequestsMax = limits.pipelinedRequestsMax
        }
        if index == 0, place == nil, runs[index].solo != nil {
            deliver(bytes, count, &connection)
        } else {
            gather(bytes, count, from: version, at: place, index, &connection)
        }
        return length
    }

    /// The client gets the next answers of the first run.
    @inlinable
    mutating func deliver(_ bytes: ByteBuffer, _ count: Int, _ connection: inout ConnectionHandler) {
        connection.enqueueClient(bytes)
        connection.noteAnswered(count)
        runs[0].delivered += count
        delivered += count
        started = delivered
        guard runs[0].delivered == runs[0].count else { return }
        runs.removeFirst()
        deliverRuns(&connection)
    }

    /// The client gets what was waiting for the answers before it.
    @inlinable
    mutating func deliverRuns(_ connection: inout ConnectionHandler) {
        while let first = runs.first {
            if let outcome = first.outcome {
                connection.enqueueClient(outcome)
                delivered += first.count
                started = delivered
                runs.removeFirst()
                continue
            }
            guard first.solo != nil, let answer = first.answers.first, answer.count > 0 else { return }
            runs[0].answers = []
            return deliver(answer.bytes, answer.count, &connection)
        }
    }

    /// Keeps answers until the others of the run are there, or it is their turn.
    @inlinable
    mutating func gather(
        _ bytes: ByteBuffer, _ count: Int, from version: Version, at place: Int?, _ index: Int,
        _ connection: inout ConnectionHandler
    ) {
        let known = place ?? runs[index].answers.count
        if place == nil { runs[index].answers.append(Run.Answer(version: version)) }
        if runs[index].answers[known].count == 0 {
            runs[index].answers[known].bytes = bytes
        } else {
            runs[index].answers[known].bytes.writeImmutableBuffer(bytes)
        }
        runs[index].answers[known].count += count
        if runs[index].solo == nil { settleRun(index, &connection) }
    }

    /// Settles a run of writes when all versions have answered: if they said the same, they did the same.
    @inlinable
    mutating func settleRun(_ index: Int, _ connection: inout ConnectionHandler) {
        let run = runs[index]
        guard run.answers.allSatisfy({ $0.count == run.count }) else { return }
        guard connection.isCalm, run.answers.dropFirst().allSatisfy({ $0.bytes == run.answers[0].bytes })
        else { return expand(&connection) }
        runs[index].outcome = run.answers[0].bytes
        connection.finish(run.first)
        connection.noteAnswered(run.count)
        if index == 0 { deliverRuns(&connection) }
    }
}
