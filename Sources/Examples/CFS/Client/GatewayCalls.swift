import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
import NIOCore
import ONCRPC
import ONCRPCSockets

/// What is called over one connection, in either form.
struct GatewayCalls {
    let form: GatewayForm
    let client: RPCStreamClient
    let patience: RPCPatience

    /// - Returns: nil if the gateway says that there is no such block.
    func retrieve(_ key: ChordID, _ kind: GatewayBlockKind) async throws(GatewayError) -> GatewayBlock? {
        switch form {
        case .of2004:
            let arguments = Gateway1.Retrieval(key: key, kind: kind.of2004)
            switch try await call(Gateway1.retrieve, arguments, key) {
            case .found(let found):
                return GatewayBlock(
                    bytes: found.block, expiration: nil, hops: Int(found.hops), errors: Int(found.errors),
                    retries: Int(found.retries), times: found.times, path: found.path)
            case .failed(let status): return try none(status, key)
            }
        case .of2008:
            let arguments = Gateway2.Retrieval(key: key, kind: kind.of2008)
            switch try await call(Gateway2.retrieve, arguments, key) {
            case .found(let found):
                return GatewayBlock(
                    bytes: found.block, expiration: found.expiration == 0 ? nil : found.expiration,
                    hops: Int(found.hops), errors: Int(found.errors), retries: Int(found.retries), times: found.times,
                    path: found.path)
            case .failed(let status): return try none(status, key)
            }
        }
    }

    /// - Returns: The nodes on the way to where it is stored.
    func insert(
        _ key: ChordID, _ kind: GatewayBlockKind, _ block: ByteBuffer, expiration: UInt32?
    ) async throws(GatewayError) -> [ChordID] {
        switch form {
        case .of2004:
            let arguments = Gateway1.Insertion(key: key, kind: kind.of2004, block: block)
            switch try await call(Gateway1.insert, arguments, key) {
            case .stored(let path): return path
            case .failed(let status): throw failure(status, key)
            }
        case .of2008:
            let arguments = Gateway2.Insertion(
                key: key, kind: kind.of2008, block: block, expiration: expiration ?? 0,
                options: expiration == nil ? [] : .expirationSupplied)
            switch try await call(Gateway2.insert, arguments, key) {
            case .stored(let path): return path
            case .failed(let status): throw failure(status, key)
            }
        }
    }

    private func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, _ key: ChordID
    ) async throws(GatewayError) -> Results {
        do throws(RPCError) {
            return try await client.call(procedure, arguments, patience: patience)
        } catch {
            throw GatewayError(error.code == .cancelled ? .cancelled : .call(error), block: key)
        }
    }

    private func none(_ status: some GatewayStatus, _ key: ChordID) throws(GatewayError) -> GatewayBlock? {
        if status.rawValue == GatewayStatusNumber.noEntry { return nil }
        throw failure(status, key)
    }

    private func failure(_ status: some GatewayStatus, _ key: ChordID) -> GatewayError {
        let code: GatewayError.Code =
            switch status.rawValue {
            case GatewayStatusNumber.stale: .stale
            case GatewayStatusNumber.storeNotVerified: .notVerified
            case let number: .failed(status: number, name: "\(status)")
            }
        return GatewayError(code, block: key)
    }
}
