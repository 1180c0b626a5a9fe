import CFSRing

/// What a process said and heard, by procedure, and what it dropped, by reason.
struct NodeCounters: Sendable {
    /// Calls of one procedure.
    struct Calls: Hashable, Sendable {
        var calls = 0
        var callBytes = 0
        var replies = 0
        var replyBytes = 0
        /// Calls without an answer that is one.
        var failures = 0
    }

    /// Why a message came to nothing.
    enum Drop: String, CaseIterable, Sendable {
        case forgedSource = "question of a node that is not where it came from"
        case unknownNode = "question to a node that is not here"
        case noHandler = "question that no node answers"
        case badArguments = "question without sense"
        case tooManyAnswers = "question beyond those that can be open"
        case expiredAnswer = "question that took too long"
        case unspeakable = "answer longer than the protocol allows"
        case refused = "answer that refuses"
        case wrongNode = "answer of another node"
        case malformed = "answer without sense"
        case unanswered = "own question without an answer"
        case tooManyQuestions = "own question beyond those that can be open"
        case expiredOperation = "client's wish that took too long"
        case tooManyOperations = "client's wish beyond those that can be open"
        case failedCommit = "commit that the disk did not take"
        case failedJoin = "try to join a ring"
    }

    /// By what was asked of others, and of this process.
    private(set) var asked: [String: Calls] = [:]
    private(set) var answered: [String: Calls] = [:]
    private(set) var drops: [Drop: Int] = [:]

    mutating func drop(_ reason: Drop) { drops[reason, default: 0] += 1 }

    mutating func ask(_ request: RingRequest, bytes: Int) {
        asked[request.name, default: Calls()].calls += 1
        asked[request.name, default: Calls()].callBytes += bytes
    }

    mutating func askedWell(_ request: RingRequest, bytes: Int) {
        asked[request.name, default: Calls()].replies += 1
        asked[request.name, default: Calls()].replyBytes += bytes
    }

    mutating func askedInVain(_ request: RingRequest) { asked[request.name, default: Calls()].failures += 1 }

    mutating func hear(_ request: RingRequest, bytes: Int) {
        answered[request.name, default: Calls()].calls += 1
        answered[request.name, default: Calls()].callBytes += bytes
    }

    mutating func answer(_ request: RingRequest, bytes: Int) {
        answered[request.name, default: Calls()].replies += 1
        answered[request.name, default: Calls()].replyBytes += bytes
    }
}

extension RingRequest {
    /// What it is called in statistics: one of few.
    var name: String {
        switch self {
        case .chord(let request):
            switch request {
            case .ping: "chord ping"
            case .successor: "chord successor"
            case .predecessor: "chord predecessor"
            case .successorList: "chord successor list"
            case .predecessorList: "chord predecessor list"
            case .fingers: "chord fingers"
            case .notify: "chord notify"
            case .alert: "chord alert"
            case .testRange: "chord test range"
            case .findRoute: "chord find route"
            case .route: "chord route"
            case .routeEnd: "chord route end"
            }
        case .dhash(.store): "dhash store"
        case .dhash(.fetch): "dhash fetch"
        case .dhash(.offer): "dhash offer"
        case .merkle(.sendNode): "merkle send node"
        case .merkle(.getKeys): "merkle get keys"
        }
    }
}
