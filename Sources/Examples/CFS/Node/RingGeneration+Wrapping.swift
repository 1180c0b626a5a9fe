import CFSGeneration1
public import CFSModel
public import CFSProtocol
public import CFSRing
import NIOCore
public import ONCRPC

/// Both generations wrap what nodes say to each other in the same way.
extension RingGeneration {
    /// Wraps a question; `time` is the sender's.
    ///
    /// - Throws: `XDRError` if the generation has no words for it.
    public static func question(
        _ request: RingRequest, to destination: ChordNode, from source: ChordNode, at time: Duration
    ) throws(XDRError) -> Question {
        let call = try call(request, to: destination)
        return Question(
            destination: destination, source: source, sendTime: time.microseconds, program: call.program,
            procedure: call.procedure, arguments: call.arguments)
    }

    /// What is asked.
    static func request(of question: Question) throws(MessageFault) -> RingRequest {
        try request(of: (question.program, question.procedure, question.arguments))
    }

    /// Wraps an answer.
    static func answer(
        _ reply: RingReply, to request: RingRequest, in question: Question
    ) throws(XDRError) -> Answer {
        let results = try results(reply, to: request, from: question.destination.node)
        return .done(source: question.destination, sendTime: question.sendTime, results: results)
    }

    /// Says why there is no answer.
    static func refusal(_ refusal: QuestionRefusal) -> Answer {
        switch refusal {
        case .unknownNode: .failed(.unknownNode)
        case .noHandler: .failed(.noHandler)
        case .badArguments: .failed(.badArguments)
        }
    }

    /// What is answered, and by whom: the node that was asked, with the coordinates that it tells.
    public static func reply(
        of answer: Answer, to request: RingRequest, by node: ChordNode
    ) throws(AnswerFault) -> (reply: RingReply, node: ChordNode) {
        guard case .done(let source, _, let results) = answer else { throw .refused }
        guard source.node == node else { throw .wrongNode }
        do throws(XDRError) {
            return (try reply(results, to: request), source.node)
        } catch {
            throw .malformed(error)
        }
    }

    /// Bytes of what is wrapped.
    static func payloadBytes(of question: Question) -> Int { question.arguments.readableBytes }

    /// Bytes of what is wrapped.
    static func payloadBytes(of answer: Answer) -> Int {
        if case .done(_, _, let results) = answer { results.readableBytes } else { 0 }
    }
}

/// Why a wrapped question is not answered.
enum QuestionRefusal: Sendable {
    /// The process has no such virtual node.
    case unknownNode
    /// There is no such procedure.
    case noHandler
    /// The arguments are none.
    case badArguments
}

/// Why a wrapped answer is none.
public enum AnswerFault: Error, Hashable, Sendable {
    /// The other process refuses.
    case refused
    /// It is somebody else's.
    case wrongNode
    /// It is none to the question.
    case malformed(XDRError)
}

extension Duration {
    /// Whole microseconds, none below zero.
    var microseconds: UInt64 {
        UInt64(clamping: components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000)
    }
}
