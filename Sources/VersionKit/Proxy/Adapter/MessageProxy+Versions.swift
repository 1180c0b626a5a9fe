public import DequeModule
public import NIOCore
public import VersionKitModel

/// Versions that come and go.
extension MessageProxy {
    @inlinable
    public mutating func versionLost(_ version: Version, _ connection: inout ConnectionHandler) {
        lose(version, isShared: false, &connection)
    }

    @inlinable
    public mutating func sharedConnectionLost(_ version: Version, _ connection: inout ConnectionHandler) {
        lose(version, isShared: true, &connection)
    }

    @inlinable
    mutating func lose(_ version: Version, isShared: Bool, _ connection: inout ConnectionHandler) {
        expand(&connection)
        guard let lane = lane(of: version, isShared: isShared) else { return }
        let numbers = lanes.remove(at: lane).owed.filter { $0 != Lane<Adapter.Request>.greeting }
        let isListed = connection.versions.contains(version)
        for number in numbers {
            if isListed, resend(number, to: version, &connection) { continue }
            let index = number - delivered
            exchanges[index].awaited.removeAll { $0 == version }
            guard isListed || exchanges[index].isAlone else { continue }
            exchanges[index].answers.append(lost(version, number, isUnsent: connection.unreached == version))
        }
        for number in numbers where number >= delivered { settleIfLost(number, &connection) }
        startReady(&connection)
    }

    /// Sends a request again that may be done twice, if no other version could answer it.
    @inlinable
    mutating func resend(_ number: Int, to version: Version, _ connection: inout ConnectionHandler) -> Bool {
        let exchange = exchanges[number - delivered]
        guard case .single = exchange.plan, exchange.resends < limits.resendsMax,
            adapter.isIdempotent(exchange.request)
        else { return false }
        exchanges[number - delivered].resends += 1
        if connection.unreached != version { exchanges[number - delivered].wasSent = true }
        do throws(ProxyError) {
            send(try message(number, for: version), number, to: version, &connection)
            return true
        } catch {
            return false
        }
    }

    /// What the client gets for a version that will not answer any more.
    ///
    /// - Parameter isUnsent: no connection to it came about, so it did not get the request.
    @inlinable
    func lost(_ version: Version, _ number: Int, isUnsent: Bool) -> Conversation.Answer {
        let exchange = exchanges[number - delivered]
        // What is sent again may have been done the first time.
        let isUntouched = isUnsent && !exchange.wasSent
        let error =
            isUntouched
            ? ProxyError(
                .unreached, "version \(version) cannot be reached; nothing was sent to it", side: .version,
                isRetrySafe: true)
            : unknownFate("version \(version) was lost before it answered", exchange.request)
        var answer = Conversation.Answer(
            version: version, reply: adapter.failure(error, of: exchange.request), original: nil, verdict: .failure,
            isLost: true)
        answer.isUnsent = isUntouched
        return answer
    }

    /// The error of a request that may have been done.
    @inlinable
    func unknownFate(_ why: String, _ request: Adapter.Request) -> ProxyError {
        ProxyError(
            .fateUnknown, "\(why); whether the request was done is unknown", side: .version,
            isRetrySafe: adapter.isIdempotent(request))
    }

    @inlinable
    mutating func settleIfLost(_ number: Int, _ connection: inout ConnectionHandler) {
        let exchange = exchanges[number - delivered]
        guard exchange.outcome == nil else { return }
        if case .single = exchange.plan {
            if exchange.awaited.isEmpty, let answer = exchange.answers.last {
                settle(number, with: answer, failed: true, &connection)
            }
        } else {
            advance(number, &connection)
        }
    }

    /// A version that is no longer listed owes nothing: what it was asked is decided by the others.
    @inlinable
    public mutating func versionsChanged(_ connection: inout ConnectionHandler) {
        expand(&connection)
        for lane in lanes where !connection.versions.contains(lane.version) {
            lose(lane.version, isShared: lane.isShared, &connection)
        }
    }
}

extension Exchange {
    /// Whether only one version was to answer.
    @inlinable
    var isAlone: Bool {
        if case .single = plan { true } else { false }
    }
}
