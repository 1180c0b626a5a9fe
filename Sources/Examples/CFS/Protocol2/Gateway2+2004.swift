public import CFSProtocol
public import CFSProtocol1

// What one says in the form of 2008 and the other in that of 2004: for whoever speaks both.

extension Gateway2.Kind {
    /// The kind of 2004: other numbers.
    public var of2004: Gateway1.Kind {
        switch self {
        case .contentHash: .contentHash
        case .keyHash: .keyHash
        case .unauthenticated: .unauthenticated
        case .append: .append
        }
    }

    /// A kind of 2004; `nil`: 2008 does not know it.
    public init?(_ kind: Gateway1.Kind) {
        guard let same = Self.allCases.first(where: { $0.of2004 == kind }) else { return nil }
        self = same
    }
}

extension Gateway2.Status {
    /// What 2004 would say; most numbers are the same.
    public var of2004: Gateway1.Status {
        switch self {
        case .diskFull: .storeError
        case .inProgress: .timedOut
        default: Gateway1.Status(rawValue: rawValue) ?? .error
        }
    }

    /// What 2008 would say; what it has no word for is an error.
    public init(_ status: Gateway1.Status) {
        switch status {
        case .notPresent: self = .noEntry
        case .stored, .replicated, .agreementError: self = .error
        default: self = Self(rawValue: status.rawValue) ?? .error
        }
    }
}

extension Gateway2.Insertion {
    /// An insertion of 2004, which says nothing of a time at which the block may go; `nil`: of a kind that is gone.
    public init?(_ old: Gateway1.Insertion) {
        guard let kind = Gateway2.Kind(old.kind) else { return nil }
        self.init(key: old.key, kind: kind, block: old.block, options: old.options, guess: old.guess)
    }

    /// The same as in 2004, without the time at which the block may go.
    public var of2004: Gateway1.Insertion {
        .init(key: key, kind: kind.of2004, block: block, options: options.intersection(.of2004), guess: guess)
    }
}

extension GatewayRetrieval<Gateway2.Kind> {
    /// A retrieval of 2004; `nil`: of a kind that is gone.
    public init?(_ old: Gateway1.Retrieval) {
        guard let kind = Gateway2.Kind(old.kind) else { return nil }
        self.init(key: old.key, kind: kind, options: old.options, guess: old.guess)
    }

    /// The same as in 2004.
    public var of2004: Gateway1.Retrieval {
        .init(key: key, kind: kind.of2004, options: options.intersection(.of2004), guess: guess)
    }
}

extension GatewayInsertResult<Gateway2.Status> {
    /// The result of a gateway of 2004.
    public init(_ old: Gateway1.InsertResult) {
        switch old {
        case .stored(let path): self = .stored(path: path)
        case .failed(let status): self = .failed(.init(status))
        }
    }

    /// The same as in 2004.
    public var of2004: Gateway1.InsertResult {
        switch self {
        case .stored(let path): .stored(path: path)
        case .failed(let status): .failed(status.of2004)
        }
    }
}

extension GatewayRetrieveResult<Gateway2.Status, Gateway2.Block> {
    /// The result of a gateway of 2004; of a kind that is gone it is an error.
    public init(_ old: Gateway1.RetrieveResult) {
        switch old {
        case .failed(let status): self = .failed(.init(status))
        case .found(let found):
            guard let kind = Gateway2.Kind(found.kind) else {
                self = .failed(.error)
                return
            }
            self = .found(
                .init(
                    found.block, kind: kind, hops: found.hops, errors: found.errors, retries: found.retries,
                    times: found.times, path: found.path))
        }
    }

    /// The same as in 2004, without the time at which the block may go.
    public var of2004: Gateway1.RetrieveResult {
        switch self {
        case .failed(let status): .failed(status.of2004)
        case .found(let found):
            .found(
                .init(
                    found.block, kind: found.kind.of2004, hops: found.hops, errors: found.errors,
                    retries: found.retries, times: found.times, path: found.path))
        }
    }
}
