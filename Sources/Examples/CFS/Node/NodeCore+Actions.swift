import CFSModel
import CFSRing
import CFSStore
import NIOCore
import ONCRPC
import ONCRPCSockets

/// What the nodes want to have done.
extension NodeCore {
    func perform(_ action: RingAction, of index: Int) {
        // Not before the disk has it, and neither before what was said to be kept earlier.
        if action.acknowledges, let batch = database.openBatch {
            held.hold(action, of: index, for: batch)
        } else {
            carryOut(action, of: index)
        }
    }

    func carryOut(_ action: RingAction, of index: Int) {
        switch action {
        case .ask(let id, let node, let request): ask(node, request, id, of: index)
        case .answer(let ticket, let reply): answer(ticket, reply)
        case .wake(let timer, let delay): timers.plan(.ring(index, timer), at: now + delay)
        case .inserted(let operation, let result):
            guard case .insert(let client) = takeClient(operation, of: index) else { break }
            client.resume(returning: result.mapError { .ring($0) })
        case .fetched(let operation, let result):
            guard case .fetch(let client) = takeClient(operation, of: index) else { break }
            client.resume(returning: result.mapError { .ring($0) })
        // Nobody asks for lookups alone.
        case .lookedUp: break
        case .joined: noteJoined(index)
        case .joinFailed: counters.drop(.failedJoin)
        }
    }

    private func takeClient(_ operation: OperationID, of index: Int) -> Client? {
        operations.removeValue(forKey: OperationName(node: index, id: operation))?.client
    }

    private func answer(_ ticket: Ticket, _ reply: RingReply) {
        switch askers.removeValue(forKey: ticket) {
        case .process(let continuation, _): continuation.resume(returning: reply)
        case .neighbour(let index, let request): deliveries.append(.reply(to: index, request, reply))
        // It took too long.
        case nil: break
        }
    }

    // Questions.

    private func ask(_ node: ChordNode, _ request: RingRequest, _ id: RequestID, of index: Int) {
        if let neighbour = indices[node.id] {
            return deliveries.append(.question(to: neighbour, from: index, id, request))
        }
        guard !isEnding, let endpoint, openQuestions < NodeLimits.openQuestions else {
            counters.drop(.tooManyQuestions)
            return deliveries.append(.failure(to: index, id))
        }
        let sent = now
        let question: Generation.Question
        do throws(XDRError) {
            question = try Generation.question(request, to: node, from: nodes[index].chord.me, at: sent)
        } catch {
            counters.drop(.unspeakable)
            return deliveries.append(.failure(to: index, id))
        }
        counters.ask(request, bytes: Generation.payloadBytes(of: question))
        openQuestions += 1
        var patience = configuration.patience
        patience.firstTime = roundTrips.wait(for: node.address, atLeast: patience.firstTime)
        let client = endpoint.client(to: SocketAddress(node.address), patience: patience)
        Task(executorPreference: tasks) {
            await self.receive(
                await self.reply(to: question, request, of: node, by: client, sent: sent), to: id, of: index)
        }
    }

    private func receive(_ answer: Answered?, to id: RequestID, of index: Int) {
        openQuestions -= 1
        guard !isEnding else { return }
        with(index) { asker, random, now in
            guard let answer else { return asker.fail(id, at: now, using: &random) }
            return asker.receive(
                answer.reply, to: id, from: answer.node, roundTrip: answer.roundTrip, at: now, using: &random)
        }
        settle()
    }

    /// What another node answered.
    private struct Answered {
        let reply: RingReply
        let node: ChordNode
        /// nil if the question may have been sent twice.
        let roundTrip: Duration?
    }

    /// The other node's answer; nil if there is none that is one.
    private func reply(
        to question: Generation.Question, _ request: RingRequest, of node: ChordNode, by client: RPCDatagramClient,
        sent: Duration
    ) async -> Answered? {
        do {
            let answer = try await client.call(Generation.exchange, question)
            let (reply, node) = try Generation.reply(of: answer, to: request, by: node)
            counters.askedWell(request, bytes: Generation.payloadBytes(of: answer))
            let roundTrip = now - sent
            roundTrips.note(roundTrip, to: node.address)
            let isSure = roundTrip < client.patience.firstTime
            return Answered(reply: reply, node: node, roundTrip: isSure ? roundTrip : nil)
        } catch {
            counters.askedInVain(request)
            switch error {
            case AnswerFault.refused: counters.drop(.refused)
            case AnswerFault.wrongNode: counters.drop(.wrongNode)
            case AnswerFault.malformed: counters.drop(.malformed)
            case let error as RPCError:
                switch error.code {
                // Nodes of the other generation do, too.
                case .refused: counters.drop(.refused)
                case .badResults: counters.drop(.malformed)
                default: counters.drop(.unanswered)
                }
            default: counters.drop(.unanswered)
            }
            return nil
        }
    }

    // The ring.

    func noteJoined(_ index: Int) {
        joined.insert(index)
        guard joined.count == nodes.count else { return }
        for joiner in joiners { joiner.resume() }
        joiners = []
    }

    /// Returns when all nodes know their place on the ring, or the process ends.
    func untilJoined() async {
        guard !isEnding, nodes.isEmpty || joined.count < nodes.count else { return }
        await withCheckedContinuation { joiners.append($0) }
    }
}
