import CFSGeneration2
import CFSModel
import CFSProtocol
import CFSProtocol2
import CFSRing
import NIOCore
public import ONCRPC

extension Generation2 {
    public static func gateway(_ keeper: any BlockKeeper) -> RPCService {
        var service = RPCService(Gateway2.program)
        service.on(Gateway2.insert) { insertion, _ in
            guard let type = BlockType(insertion.kind) else { return .failed(.error) }
            let data = Array(insertion.block.readableBytesView)
            // Without a time it is kept for ever: what came from a ring that knew no times must not get lost.
            let expiration = insertion.options.contains(.expirationSupplied) ? insertion.expiration : 0
            switch await keeper.insert(data, BlockKey(insertion.key, type), until: expiration) {
            case .success(let path): return .stored(path: path.suffix(GatewayLimits.pathMax).map(\.id))
            case .failure(let failure): return .failed(failure.status2)
            }
        }
        service.on(Gateway2.retrieve) { retrieval, _ in
            guard let type = BlockType(retrieval.kind) else { return .failed(.error) }
            let clock = ContinuousClock()
            let began = clock.now
            switch await keeper.fetch(BlockKey(retrieval.key, type)) {
            case .success(let block):
                return .found(
                    Gateway2.Block(
                        ByteBuffer(bytes: block.data), kind: retrieval.kind, expiration: block.expiration,
                        hops: Int32(clamping: block.path.count),
                        errors: Int32(clamping: block.errors), retries: Int32(clamping: block.retries),
                        times: [UInt32(clamping: (clock.now - began).microseconds / 1000)],
                        path: block.path.suffix(GatewayLimits.pathMax).map(\.id)))
            case .failure(let failure): return .failed(failure.status2)
            }
        }
        return service
    }
}

extension KeeperFailure {
    fileprivate var status2: Gateway2.Status {
        switch self {
        case .ring(let failure): failure.status2
        case .timedOut: .timedOut
        case .unavailable: .error
        }
    }
}
