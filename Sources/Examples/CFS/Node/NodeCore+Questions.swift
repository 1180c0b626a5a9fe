import CFSGeneration1
import CFSModel
import CFSProtocol
import CFSRing
import NIOCore
import ONCRPC

/// What other processes ask.
extension NodeCore {
    /// Answers a wrapped question.
    ///
    /// - Parameter caller: From where it came: whoever says to be another node than can be there is not answered.
    /// - Throws: `systemError` if it is not answered at all.
    func answer(
        _ question: Generation.Question, from caller: SocketAddress?
    ) async throws(RPCRefusal) -> Generation.Answer {
        let (source, destination) = (question.source.node, question.destination.node)
        guard !isEnding else { throw .systemError }
        guard caller == SocketAddress(source.address) else {
            counters.drop(.forgedSource)
            throw .authenticationError(.badCredential)
        }
        guard let index = indices[destination.id] else {
            counters.drop(.unknownNode)
            return Generation.refusal(.unknownNode)
        }
        let request: RingRequest
        do throws(MessageFault) {
            request = try Generation.request(of: question)
        } catch {
            switch error {
            case .noHandler:
                counters.drop(.noHandler)
                return Generation.refusal(.noHandler)
            case .badArguments:
                counters.drop(.badArguments)
                return Generation.refusal(.badArguments)
            }
        }
        counters.hear(request, bytes: Generation.payloadBytes(of: question))
        guard let reply = await reply(to: request, from: source, by: index) else { throw .systemError }
        do throws(XDRError) {
            let answer = try Generation.answer(reply, to: request, in: question)
            counters.answer(request, bytes: Generation.payloadBytes(of: answer))
            return answer
        } catch {
            counters.drop(.unspeakable)
            throw .systemError
        }
    }

    /// A node's answer; nil if it takes too long.
    private func reply(to request: RingRequest, from source: ChordNode, by index: Int) async -> RingReply? {
        guard askers.count < NodeLimits.openAnswers else {
            counters.drop(.tooManyAnswers)
            return nil
        }
        return await withCheckedContinuation { continuation in
            let ticket = nextTicket()
            askers[ticket] = .process(continuation, deadline: now + NodeLimits.answerTime)
            with(index) { $0.answer(request, from: source, ticket: ticket, at: $2, using: &$1) }
            settle()
        }
    }
}
