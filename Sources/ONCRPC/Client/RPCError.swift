/// Why a call has no results, whose fault that is, and whether it may be made again.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: Hashable, Sendable {
        /// There is no connection to the server.
        case unreachable(String)
        /// Too many calls wait for their replies already: so many, or too many bytes.
        case tooManyCalls(waiting: Int)
        /// The message has more bytes than can be sent.
        case tooLarge(bytes: Int, max: Int)
        /// The arguments are not what the protocol allows.
        case badArguments(XDRError)
        /// No reply came, though the call was sent so often.
        case timedOut(attempts: Int)
        /// The connection ended before the reply came.
        case disconnected(String)
        /// The caller did not wait any longer.
        case cancelled
        /// The server answered that it does not do it; never `success`.
        case refused(RPCReply.Outcome)
        /// The server did it, and its results are not those of the procedure.
        case badResults(XDRError)
    }

    /// Whose fault it is.
    public enum Side: Hashable, Sendable {
        /// The caller's.
        case client
        /// The server's.
        case server
        /// What lies between them; or the server is not there.
        case network
    }

    /// What happened.
    public var code: Code
    /// Whose fault it is.
    public var side: Side
    /// Whether the same call may be made again without being carried out twice: it was not carried out, or its procedure
    /// may be repeated. It says nothing about whether that would help.
    public var isRetrySafe: Bool
    /// The procedure that was called.
    public var procedure: String

    /// An error.
    public init(_ code: Code, procedure: String, isRepeatable: Bool) {
        self.code = code
        self.procedure = procedure
        side = Self.side(code)
        isRetrySafe = isRepeatable || Self.isUndone(code)
    }

    /// One sentence.
    public var description: String { "\(procedure): \(what)" }

    private static func side(_ code: Code) -> Side {
        switch code {
        case .tooManyCalls, .tooLarge, .badArguments, .cancelled: .client
        case .unreachable, .timedOut, .disconnected: .network
        case .refused(.garbageArguments), .refused(.authenticationError): .client
        case .refused, .badResults: .server
        }
    }

    /// Whether it is certain that nothing was carried out.
    private static func isUndone(_ code: Code) -> Bool {
        switch code {
        case .unreachable, .tooManyCalls, .tooLarge, .badArguments: true
        case .timedOut, .disconnected, .cancelled, .badResults: false
        case .refused(.systemError), .refused(.success): false
        case .refused: true
        }
    }

    private var what: String {
        switch code {
        case .unreachable(let why): "not reachable: \(why)"
        case .tooManyCalls(let waiting): "\(waiting) calls wait for replies already"
        case .tooLarge(let bytes, let max): "a message of \(bytes) bytes where \(max) is the most"
        case .badArguments(let error): "arguments that cannot be sent: \(error)"
        case .timedOut(let attempts): "no reply, sent \(attempts) times"
        case .disconnected(let why): "no reply, the connection ended: \(why)"
        case .cancelled: "cancelled"
        case .refused(let outcome): "refused: \(outcome)"
        case .badResults(let error): "results that are none: \(error)"
        }
    }
}

extension RPCProcedure {
    /// The results of a reply to a call of it.
    ///
    /// - Throws: `RPCError` if the server refuses, or its results are none.
    public func results(of reply: RPCReply, limits: XDRLimits = .standard) throws(RPCError) -> Results {
        guard case .success(let bytes) = reply.outcome else { throw error(.refused(reply.outcome)) }
        do throws(XDRError) {
            return try results(from: bytes, limits: limits)
        } catch {
            throw self.error(.badResults(error))
        }
    }

    /// An error of a call of it.
    public func error(_ code: RPCError.Code) -> RPCError {
        RPCError(code, procedure: name, isRepeatable: isRepeatable)
    }
}
