import NIOCore

/// Why a procedure has no results for a call, in the words that RPC has for it.
public enum RPCRefusal: Error, Hashable, Sendable {
    /// The program does not have this procedure, as far as this caller is concerned.
    case procedureUnavailable
    /// The arguments are well-formed, and make no sense.
    case garbageArguments
    /// It cannot be done now, for a reason of the server's.
    case systemError
    /// This caller may not.
    case authenticationError(RPCAuthenticationStatus)

    var outcome: RPCReply.Outcome {
        switch self {
        case .procedureUnavailable: .procedureUnavailable
        case .garbageArguments: .garbageArguments
        case .systemError: .systemError
        case .authenticationError(let status): .authenticationError(status)
        }
    }
}

/// The procedures of one program in one version, and what carries them out. Procedure 0 is there already.
///
/// Whatever was left out is answered by itself: procedures that are not there, arguments that are none.
///
/// ```swift
/// var service = RPCService(Counting.program)
/// service.on(Counting.add) { number, _ in await counter.add(number) }
/// service.on(Counting.total) { _, _ in await counter.total }
/// ```
public struct RPCService: Sendable {
    /// Checks and reads the arguments; what it returns carries the call out and gives the results as XDR.
    typealias Handler = @Sendable (RPCCall, XDRLimits) -> Result<Body, XDRError>
    typealias Body = @Sendable () async -> RPCReply.Outcome

    /// The program that it is of.
    public let program: RPCProgram

    private(set) var handlers: [UInt32: Handler] = [:]

    /// A service that has procedure 0 only.
    public init(_ program: RPCProgram) {
        self.program = program
        on(program.null) { _, _ in XDRVoid() }
    }

    /// Says what carries a procedure out; the last one said counts.
    ///
    /// Results that cannot be written, for they are longer than the protocol allows, are answered by SYSTEM_ERR.
    ///
    /// - Precondition: the procedure is of the service's program and version.
    public mutating func on<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>,
        _ carryOut: @escaping @Sendable (Arguments, RPCCall) async throws(RPCRefusal) -> Results
    ) {
        precondition(
            procedure.program == program, "\(procedure.name) is of \(procedure.program.name), not of \(program.name)")
        handlers[procedure.number] = { call, limits in
            Result { () throws(XDRError) in try procedure.arguments(from: call.arguments, limits: limits) }
                .map { arguments in { await Self.outcome(procedure, arguments, call, carryOut) } }
        }
    }

    private static func outcome<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, _ call: RPCCall,
        _ carryOut: @Sendable (Arguments, RPCCall) async throws(RPCRefusal) -> Results
    ) async -> RPCReply.Outcome {
        do throws(RPCRefusal) {
            let results = try await carryOut(arguments, call)
            return (try? XDRWriter.bytes(of: results)).map { .success($0) } ?? .systemError
        } catch {
            return error.outcome
        }
    }
}
