/// The programs of a server: finds the procedure that a call is for, or the answer that the RFC has for calls without one.
public struct RPCDispatcher: Sendable {
    /// What is to be done about a call.
    public enum Decision: Sendable {
        /// Answer it so: there is nothing to carry out.
        case answer(RPCReply)
        /// Carry it out, and answer with what comes of it.
        case run(RPCJob)
    }

    /// By program and version.
    private var services: [UInt32: [UInt32: RPCService]] = [:]
    private let limits: XDRLimits

    /// A dispatcher for these services.
    ///
    /// - Parameter limits: for arguments, where their types have none.
    /// - Precondition: no two are of the same program and version.
    public init(_ services: [RPCService] = [], limits: XDRLimits = .standard) {
        self.limits = limits
        for service in services {
            let old = self.services[service.program.number, default: [:]].updateValue(
                service, forKey: service.program.version)
            precondition(old == nil, "\(service.program.name) \(service.program.version) is there twice")
        }
    }

    /// What is to be done about a call.
    public func decide(_ call: RPCCall) -> Decision {
        guard let versions = services[call.program], let low = versions.keys.min(), let high = versions.keys.max()
        else {
            return .answer(RPCReply(xid: call.xid, .programUnavailable))
        }
        guard let service = versions[call.version] else {
            return .answer(RPCReply(xid: call.xid, .programMismatch(low: low, high: high)))
        }
        guard let handler = service.handlers[call.procedure] else {
            return .answer(RPCReply(xid: call.xid, .procedureUnavailable))
        }
        switch handler(call, limits) {
        case .success(let body): return .run(RPCJob(xid: call.xid, body: body))
        case .failure: return .answer(RPCReply(xid: call.xid, .garbageArguments))
        }
    }
}

/// A call whose arguments were read, ready to be carried out.
public struct RPCJob: Sendable {
    /// Of the call.
    public let xid: UInt32

    let body: RPCService.Body

    /// Carries the call out.
    public func run() async -> RPCReply { RPCReply(xid: xid, await body()) }
}
